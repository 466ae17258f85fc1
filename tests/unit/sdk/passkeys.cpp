// What a passkey answers: each condition of WebAuthn alone refuses, whatever the signature is worth.

#include <array>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/passkeys.hpp>

#include "sdk/base/base64url.hpp"
#include "tests/unit/sdk/made_passkey.hpp"

namespace chancery::tests {
namespace {

const Bytes kChallenge(32, 0x5A);

/// The code with which something is refused; nothing when it is not.
template <typename T>
std::optional<ErrorCode> refusal(const Result<T>& result) {
  return result ? std::nullopt : std::optional(result.error().code);
}

struct AnswerCase {
  const char* name;
  void (*change)(PasskeyAnswer& answer);
  std::optional<ErrorCode> refused{};
};
std::ostream& operator<<(std::ostream& out, const AnswerCase& row) { return out << row.name; }

constexpr auto kRefused = ErrorCode::kProofRefused;
constexpr auto kMalformed = ErrorCode::kMalformed;

// What the browser says and whose hash is signed, of assertions and registrations alike.
const std::array kClientData{
    AnswerCase{"nothing changed", [](PasskeyAnswer&) {}},
    AnswerCase{"the other origin", [](PasskeyAnswer& a) { a.origin = "https://localhost:9443"; }},
    AnswerCase{"nothing said of frames", [](PasskeyAnswer& a) { a.more_client_data.clear(); }},
    AnswerCase{"a member of a later browser",
               [](PasskeyAnswer& a) { a.more_client_data = R"(,"crossOrigin":false,"later":{"a":[1]})"; }},
    AnswerCase{"a binding that is not used",
               [](PasskeyAnswer& a) { a.more_client_data = R"(,"tokenBinding":{"status":"supported"})"; }},
    AnswerCase{"another type", [](PasskeyAnswer& a) { a.type = "payment.get"; }, kRefused},
    AnswerCase{"no type",
               [](PasskeyAnswer& a) {
                 a.client_data =
                     R"({"challenge":")" + a.challenge + R"(","origin":"https://localhost:8443"})";
               },
               kRefused},
    AnswerCase{"another challenge", [](PasskeyAnswer& a) { a.challenge = base64url_encode(Bytes(32, 0x5B)); },
               kRefused},
    AnswerCase{"a challenge that goes on", [](PasskeyAnswer& a) { a.challenge += "AA"; }, kRefused},
    AnswerCase{"a challenge with padding", [](PasskeyAnswer& a) { a.challenge += "="; }, kRefused},
    AnswerCase{"no challenge", [](PasskeyAnswer& a) { a.challenge.clear(); }, kRefused},
    AnswerCase{"another port", [](PasskeyAnswer& a) { a.origin = "https://localhost:8444"; }, kRefused},
    AnswerCase{"without TLS", [](PasskeyAnswer& a) { a.origin = "http://localhost:8443"; }, kRefused},
    AnswerCase{"a longer origin", [](PasskeyAnswer& a) { a.origin += ".example"; }, kRefused},
    AnswerCase{"an origin with a path", [](PasskeyAnswer& a) { a.origin += "/"; }, kRefused},
    AnswerCase{"an origin that is a number",
               [](PasskeyAnswer& a) {
                 a.client_data =
                     R"({"type":")" + a.type + R"(","challenge":")" + a.challenge + R"(","origin":1})";
               },
               kRefused},
    AnswerCase{"from a frame of another site",
               [](PasskeyAnswer& a) { a.more_client_data = R"(,"crossOrigin":true)"; }, kRefused},
    AnswerCase{"a text that says whether it is a frame",
               [](PasskeyAnswer& a) { a.more_client_data = R"(,"crossOrigin":"false")"; }, kRefused},
    AnswerCase{"below another site's page",
               [](PasskeyAnswer& a) { a.more_client_data = R"(,"topOrigin":"https://evil.example")"; },
               kRefused},
    AnswerCase{
        "bound to a connection",
        [](PasskeyAnswer& a) { a.more_client_data = R"(,"tokenBinding":{"status":"present","id":"x"})"; },
        kRefused},
    AnswerCase{"bound in a way that is not known",
               [](PasskeyAnswer& a) { a.more_client_data = R"(,"tokenBinding":"x")"; }, kRefused},
    AnswerCase{"a member twice",
               [](PasskeyAnswer& a) { a.more_client_data = R"(,"origin":"https://localhost:8443")"; },
               kMalformed},
    AnswerCase{"no JSON", [](PasskeyAnswer& a) { a.client_data = "{"; }, kMalformed},
    AnswerCase{"no object", [](PasskeyAnswer& a) { a.client_data = "[]"; }, kMalformed},
    AnswerCase{
        "longer than a browser writes",
        [](PasskeyAnswer& a) { a.more_client_data = R"(,"later":")" + std::string(16384, 'x') + "\""; },
        kMalformed},
    AnswerCase{"another RP id", [](PasskeyAnswer& a) { a.rp_id = "localhost.example"; }, kRefused},
    AnswerCase{"nobody there",
               [](PasskeyAnswer& a) { a.flags &= static_cast<std::uint8_t>(~MadePasskey::kUserPresent); },
               kRefused},
    AnswerCase{"nobody verified",
               [](PasskeyAnswer& a) { a.flags &= static_cast<std::uint8_t>(~MadePasskey::kUserVerified); },
               kRefused},
};

/// The code with which an assertion that is changed so is refused.
std::optional<ErrorCode> assertion_refusal(const AnswerCase& row) {
  const MadePasskey passkey;
  PasskeyAnswer answer = MadePasskey::answer_to(kChallenge);
  row.change(answer);
  return refusal(
      verify_passkey_assertion(passkey.sign(answer), kChallenge, passkey.public_key(), local_party()));
}

BOOST_DATA_TEST_CASE(each_condition_alone_refuses_an_assertion, boost::unit_test::data::make(kClientData),
                     row) {
  BOOST_TEST((assertion_refusal(row) == row.refused));
}

BOOST_DATA_TEST_CASE(each_condition_alone_refuses_a_registration, boost::unit_test::data::make(kClientData),
                     row) {
  const MadePasskey passkey;
  PasskeyAnswer answer = passkey.registration_for(kChallenge);
  row.change(answer);
  const auto checked = check_passkey_registration(passkey.register_with(answer), kChallenge, local_party());
  BOOST_TEST((refusal(checked) == row.refused));
}

// Only of what signs.
const std::array kAssertions{
    AnswerCase{"what enrols", [](PasskeyAnswer& a) { a.type = "webauthn.create"; }, kRefused},
    AnswerCase{"a credential in it",
               [](PasskeyAnswer& a) {
                 a.flags |= MadePasskey::kHasCredential;
                 a.rest = Bytes(20, 0);
               },
               kMalformed},
    AnswerCase{"octets that no flag announces", [](PasskeyAnswer& a) { a.rest = {0xA0}; }, kMalformed},
    AnswerCase{"extensions that are not there",
               [](PasskeyAnswer& a) { a.flags |= MadePasskey::kHasExtensions; }, kMalformed},
    AnswerCase{"extensions",
               [](PasskeyAnswer& a) {
                 a.flags |= MadePasskey::kHasExtensions;
                 a.rest = {0xA0};
               }},
    AnswerCase{"a key that is on other devices too",
               [](PasskeyAnswer& a) { a.flags |= MadePasskey::kBackedUp; }},
    AnswerCase{"no counter", [](PasskeyAnswer& a) { a.counter = 0; }},
};
BOOST_DATA_TEST_CASE(an_assertion_is_no_longer_than_its_flags_say, boost::unit_test::data::make(kAssertions),
                     row) {
  BOOST_TEST((assertion_refusal(row) == row.refused));
}

BOOST_AUTO_TEST_CASE(an_assertion_tells_the_counter_and_whether_the_key_is_copied) {
  const MadePasskey passkey;
  PasskeyAnswer answer = MadePasskey::answer_to(kChallenge);
  answer.counter = 0x01020304;
  const auto single =
      verify_passkey_assertion(passkey.sign(answer), kChallenge, passkey.public_key(), local_party());
  BOOST_REQUIRE(single.has_value());
  BOOST_TEST(single->counter == 0x01020304U);
  BOOST_TEST(!single->is_backed_up);
  answer.flags |= MadePasskey::kBackedUp;
  const auto copied =
      verify_passkey_assertion(passkey.sign(answer), kChallenge, passkey.public_key(), local_party());
  BOOST_REQUIRE(copied.has_value());
  BOOST_TEST(copied->is_backed_up);
}

struct SignedCase {
  const char* name;
  void (*change)(PasskeyAssertion& assertion);
  ErrorCode refused;
};
std::ostream& operator<<(std::ostream& out, const SignedCase& row) { return out << row.name; }

constexpr auto kUnsigned = ErrorCode::kSignatureInvalid;

// What is changed after it was signed, in ways that no other condition forbids.
const std::array kSigned{
    SignedCase{"the counter", [](PasskeyAssertion& a) { a.authenticator_data.back() ^= 1; }, kUnsigned},
    SignedCase{"a flag that nobody looks at", [](PasskeyAssertion& a) { a.authenticator_data[32] ^= 0x10; },
               kUnsigned},
    SignedCase{"a space in what the browser said", [](PasskeyAssertion& a) { a.client_data += ' '; },
               kUnsigned},
    SignedCase{"the signature", [](PasskeyAssertion& a) { a.signature.back() ^= 1; }, kUnsigned},
    SignedCase{"octets behind the signature", [](PasskeyAssertion& a) { a.signature.push_back(0); },
               kUnsigned},
    SignedCase{"no signature", [](PasskeyAssertion& a) { a.signature.clear(); }, kUnsigned},
    SignedCase{"a signature that is raw", [](PasskeyAssertion& a) { a.signature = Bytes(64, 1); }, kUnsigned},
    SignedCase{"data that are one octet too short",
               [](PasskeyAssertion& a) { a.authenticator_data.pop_back(); }, kMalformed},
    SignedCase{"no data", [](PasskeyAssertion& a) { a.authenticator_data.clear(); }, kMalformed},
};
BOOST_DATA_TEST_CASE(what_was_changed_after_it_was_signed_is_refused, boost::unit_test::data::make(kSigned),
                     row) {
  const MadePasskey passkey;
  PasskeyAssertion assertion = passkey.sign(MadePasskey::answer_to(kChallenge));
  row.change(assertion);
  const auto verified = verify_passkey_assertion(assertion, kChallenge, passkey.public_key(), local_party());
  BOOST_TEST((refusal(verified) == std::optional(row.refused)));
}

BOOST_AUTO_TEST_CASE(another_passkey_signs_for_nobody_else) {
  const MadePasskey passkey;
  const MadePasskey other;
  const PasskeyAssertion assertion = other.sign(MadePasskey::answer_to(kChallenge));
  const auto verified = verify_passkey_assertion(assertion, kChallenge, passkey.public_key(), local_party());
  BOOST_TEST((refusal(verified) == std::optional(ErrorCode::kSignatureInvalid)));
  const PublicKey edwards = SigningKey::generate(Algorithm::kEd25519)->public_key();
  const auto unsupported = verify_passkey_assertion(assertion, kChallenge, edwards, local_party());
  BOOST_TEST((refusal(unsupported) == std::optional(ErrorCode::kUnsupportedAlgorithm)));
}

BOOST_AUTO_TEST_CASE(a_registration_gives_the_key_and_its_id) {
  const MadePasskey passkey;
  PasskeyAnswer answer = passkey.registration_for(kChallenge);
  const auto plain = check_passkey_registration(passkey.register_with(answer), kChallenge, local_party());
  BOOST_REQUIRE(plain.has_value());
  BOOST_TEST((plain->key == passkey.public_key()));
  BOOST_TEST(plain->credential_id == base64url_encode(passkey.credential_id()));
  BOOST_TEST(plain->use.counter == 7U);
  // Browsers ask some authenticators for `credProtect` of their own accord.
  answer.flags |= MadePasskey::kHasExtensions;
  answer.rest.insert(answer.rest.end(),
                     {0xA1, 0x6B, 'c', 'r', 'e', 'd', 'P', 'r', 'o', 't', 'e', 'c', 't', 0x02});
  const auto extended = check_passkey_registration(passkey.register_with(answer), kChallenge, local_party());
  BOOST_REQUIRE(extended.has_value());
  BOOST_TEST((extended->key == passkey.public_key()));
}

constexpr std::size_t kIdAt = 18;            // behind AAGUID and length
constexpr std::size_t kCoseAt = kIdAt + 4;   // behind the id
constexpr std::size_t kAlgAt = kCoseAt + 4;  // -7
constexpr std::size_t kXAt = kCoseAt + 10;

// Only of what enrols.
const std::array kRegistrations{
    AnswerCase{"what signs", [](PasskeyAnswer& a) { a.type = "webauthn.get"; }, kRefused},
    AnswerCase{"no credential announced",
               [](PasskeyAnswer& a) { a.flags &= static_cast<std::uint8_t>(~MadePasskey::kHasCredential); },
               kMalformed},
    AnswerCase{"no credential there", [](PasskeyAnswer& a) { a.rest.clear(); }, kMalformed},
    AnswerCase{"an AAGUID alone", [](PasskeyAnswer& a) { a.rest.resize(kIdAt - 1); }, kMalformed},
    AnswerCase{"an id without octets", [](PasskeyAnswer& a) { a.rest[kIdAt - 1] = 0; }, kMalformed},
    AnswerCase{"an id of 1024 octets",
               [](PasskeyAnswer& a) {
                 a.rest[kIdAt - 2] = 4;
                 a.rest[kIdAt - 1] = 0;
                 a.rest.resize(kIdAt + 2000);
               },
               kMalformed},
    AnswerCase{"an id that goes beyond the end", [](PasskeyAnswer& a) { a.rest[kIdAt - 1] = 0xFF; },
               kMalformed},
    AnswerCase{"another id", [](PasskeyAnswer& a) { a.rest[kIdAt] ^= 1; }, kRefused},
    AnswerCase{"a shorter id",
               [](PasskeyAnswer& a) {
                 a.rest[kIdAt - 1] = 3;
                 a.rest.erase(a.rest.begin() + static_cast<std::ptrdiff_t>(kCoseAt) - 1);
               },
               kRefused},
    AnswerCase{"another algorithm", [](PasskeyAnswer& a) { a.rest[kAlgAt] = 0x27; },
               ErrorCode::kUnsupportedAlgorithm},
    AnswerCase{"no y", [](PasskeyAnswer& a) { a.rest[kXAt + 32] = 0x23; }, ErrorCode::kUnsupportedAlgorithm},
    AnswerCase{"a key that is cut", [](PasskeyAnswer& a) { a.rest.pop_back(); },
               ErrorCode::kUnsupportedAlgorithm},
    AnswerCase{"no key", [](PasskeyAnswer& a) { a.rest.resize(kCoseAt); }, ErrorCode::kUnsupportedAlgorithm},
    AnswerCase{"a point beside the curve", [](PasskeyAnswer& a) { a.rest.back() ^= 1; },
               ErrorCode::kInvalidKey},
    AnswerCase{"octets behind the key", [](PasskeyAnswer& a) { a.rest.push_back(0xA0); }, kMalformed},
    AnswerCase{"extensions that are not there",
               [](PasskeyAnswer& a) { a.flags |= MadePasskey::kHasExtensions; }, kMalformed},
};
BOOST_DATA_TEST_CASE(a_credential_has_one_form, boost::unit_test::data::make(kRegistrations), row) {
  const MadePasskey passkey;
  PasskeyAnswer answer = passkey.registration_for(kChallenge);
  row.change(answer);
  const auto checked = check_passkey_registration(passkey.register_with(answer), kChallenge, local_party());
  BOOST_TEST((refusal(checked) == std::optional(*row.refused)));
}

struct TextCase {
  const char* name;
  std::string text;
  std::optional<ErrorCode> refused{};
};
std::ostream& operator<<(std::ostream& out, const TextCase& row) { return out << row.name; }

const std::array kAssertionTexts{
    TextCase{"whole", R"({"authenticatorData":"AA","clientDataJSON":"e30","signature":"AQ"})"},
    TextCase{"in any order", R"({"signature":"AQ", "clientDataJSON":"e30","authenticatorData":"AA"})"},
    TextCase{"a member more",
             R"({"authenticatorData":"AA","clientDataJSON":"e30","signature":"AQ","userHandle":"AA"})",
             kMalformed},
    TextCase{"a member less", R"({"authenticatorData":"AA","clientDataJSON":"e30"})", kMalformed},
    TextCase{"an empty member", R"({"authenticatorData":"","clientDataJSON":"e30","signature":"AQ"})",
             kMalformed},
    TextCase{"padding", R"({"authenticatorData":"AA==","clientDataJSON":"e30","signature":"AQ"})",
             kMalformed},
    TextCase{"a number", R"({"authenticatorData":1,"clientDataJSON":"e30","signature":"AQ"})", kMalformed},
    TextCase{"no object", R"(["AA"])", kMalformed},
    TextCase{"a member twice", R"({"signature":"AQ","clientDataJSON":"e30","signature":"AQ"})",
             ErrorCode::kDuplicateMember},
    TextCase{"too long", std::string(16385, ' '), ErrorCode::kTooLarge},
};
BOOST_DATA_TEST_CASE(an_assertion_in_json_has_three_members, boost::unit_test::data::make(kAssertionTexts),
                     row) {
  BOOST_TEST((refusal(read_passkey_assertion(row.text)) == row.refused));
}

BOOST_AUTO_TEST_CASE(an_assertion_is_read_as_it_is_written) {
  const MadePasskey passkey;
  const PasskeyAssertion made = passkey.sign(MadePasskey::answer_to(kChallenge));
  const auto read = read_passkey_assertion(passkey_assertion_json(made));
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST((read->authenticator_data == made.authenticator_data));
  BOOST_TEST(read->client_data == made.client_data);
  BOOST_TEST((read->signature == made.signature));
}

const std::array kRegistrationTexts{
    TextCase{"whole", R"({"authenticatorData":"AA","clientDataJSON":"e30","id":"AQ"})"},
    TextCase{"a member more", R"({"authenticatorData":"AA","clientDataJSON":"e30","id":"AQ","type":"x"})",
             kMalformed},
    TextCase{"no id", R"({"authenticatorData":"AA","clientDataJSON":"e30"})", kMalformed},
    TextCase{"an id that is no base64url", R"({"authenticatorData":"AA","clientDataJSON":"e30","id":"A+"})",
             kMalformed},
    TextCase{"too long", std::string(16385, ' '), ErrorCode::kTooLarge},
};
BOOST_DATA_TEST_CASE(a_registration_in_json_has_three_members,
                     boost::unit_test::data::make(kRegistrationTexts), row) {
  BOOST_TEST((refusal(read_passkey_registration(row.text)) == row.refused));
}

}  // namespace
}  // namespace chancery::tests
