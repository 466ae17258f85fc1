// Decisions: what one says, in which form alone, and whose it is.

#include <array>
#include <cstdlib>
#include <functional>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/approval_decision.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "tests/unit/sdk/made_passkey.hpp"

namespace chancery::tests {
namespace {

constexpr auto kMalformed = ErrorCode::kMalformed;

ApprovalDecision decision_by(const PublicKey& key) {
  ApprovalDecision out;
  out.approver = "user:bob@example.org";
  out.request = std::string(32, 'a');
  out.request_sha256 = std::string(64, 'b');
  out.verdict = ApprovalVerdict::kApprove;
  out.issued_at = std::chrono::sys_seconds(std::chrono::seconds(1'800'000'000));
  out.key = key.thumbprint();
  return out;
}

std::string sign(const ApprovalDecision& decision, const SigningKey& key) {
  const std::string input = approval_decision_input(decision, key.public_key().algorithm());
  return signed_by_key(input, *key.sign(as_bytes(input)));
}

template <typename T>
std::optional<ErrorCode> refusal(const Result<T>& result) {
  return result ? std::nullopt : std::optional(result.error().code);
}

struct AlgorithmCase {
  const char* name;
  Algorithm algorithm;
};
std::ostream& operator<<(std::ostream& out, const AlgorithmCase& row) { return out << row.name; }
constexpr std::array kAlgorithms{AlgorithmCase{"ES256", Algorithm::kES256},
                                 AlgorithmCase{"Ed25519", Algorithm::kEd25519}};

BOOST_DATA_TEST_CASE(a_decision_is_read_and_verifies_as_it_was_signed,
                     boost::unit_test::data::make(kAlgorithms), row) {
  const SigningKey key = *SigningKey::generate(row.algorithm);
  ApprovalDecision decision = decision_by(key.public_key());
  for (const ApprovalVerdict verdict : {ApprovalVerdict::kApprove, ApprovalVerdict::kDeny}) {
    decision.verdict = verdict;
    decision.reason = verdict == ApprovalVerdict::kDeny ? "Zu hoch für diesen Kunden" : "";
    const std::string jws = sign(decision, key);
    const auto read = read_approval_decision(jws);
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST((*read == decision));
    BOOST_TEST(verify_approval_decision(jws, key.public_key(), std::nullopt).has_value());
  }
}

// Whoever writes an approver's tool of their own starts from these octets.
BOOST_AUTO_TEST_CASE(the_signing_input_is_that_of_the_documented_form) {
  ApprovalDecision decision = decision_by(PublicKey::ed25519({}));
  decision.key = Thumbprint{};
  decision.reason = "known customer";
  const std::string header =
      R"({"alg":"Ed25519","kid":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","typ":"chancery-decision+jwt"})";
  const std::string payload =
      R"({"iat":1800000000,"iss":"user:bob@example.org","reason":"known customer","request":")" +
      std::string(32, 'a') + R"(","request_sha256":")" + std::string(64, 'b') + R"(","verdict":"approve"})";
  BOOST_TEST(approval_decision_input(decision, Algorithm::kEd25519) ==
             base64url_encode(as_bytes(header)) + "." + base64url_encode(as_bytes(payload)));
  decision.by_passkey = true;
  const std::string passkey_input = approval_decision_input(decision, Algorithm::kES256);
  const auto decoded = base64url_decode(passkey_input.substr(0, passkey_input.find('.')));
  BOOST_REQUIRE(decoded.has_value());
  BOOST_TEST(as_text(*decoded).find(R"("alg":"chancery-webauthn-es256")") != std::string_view::npos);
}

struct TextCase {
  const char* name;
  std::string text;
  std::optional<ErrorCode> refused{};
};
std::ostream& operator<<(std::ostream& out, const TextCase& row) { return out << row.name; }

std::string payload_with(std::string_view what, std::string_view by) {
  std::string out = R"({"iat":1800000000,"iss":"user:bob","request":")" + std::string(32, 'a') +
                    R"(","request_sha256":")" + std::string(64, 'b') + R"(","verdict":"approve"})";
  const std::size_t at = out.find(what);
  if (at == std::string::npos) std::abort();  // before there is a test case
  return out.replace(at, what.size(), by);
}

const std::array kPayloads{
    TextCase{"nothing changed", payload_with("iat", "iat")},
    TextCase{"a denial", payload_with(R"("approve")", R"("deny")")},
    TextCase{"a reason", payload_with(R"("request":)", R"("reason":"x","request":)")},
    TextCase{"the longest reason",
             payload_with(R"("request":)", R"("reason":")" + std::string(512, 'x') + R"(","request":)")},
    TextCase{"the longest principal", payload_with("user:bob", "user:" + std::string(251, 'p'))},
    TextCase{"at once in 1970", payload_with("1800000000", "0")},
    TextCase{"no time", payload_with(R"("iat":1800000000,)", ""), kMalformed},
    TextCase{"half a second", payload_with("1800000000", "1800000000.5"), kMalformed},
    TextCase{"before 1970", payload_with("1800000000", "-1"), kMalformed},
    TextCase{"a time in a text", payload_with("1800000000", R"("1800000000")"), kMalformed},
    TextCase{"no approver", payload_with(R"("iss":"user:bob",)", ""), kMalformed},
    TextCase{"an approver without name", payload_with("user:bob", ""), kMalformed},
    TextCase{"a group as approver", payload_with("user:bob", "group:bob"), kMalformed},
    TextCase{"an approver with a space", payload_with("user:bob", "user:bob "), kMalformed},
    TextCase{"an approver who turns what is written",
             payload_with("user:bob",
                          "user:\xE2\x80\xAE"
                          "bob"),
             kMalformed},
    TextCase{"too long a principal", payload_with("user:bob", "user:" + std::string(252, 'p')), kMalformed},
    TextCase{"an approver without a kind", payload_with("user:bob", "bob"), kMalformed},
    TextCase{"no request", payload_with(R"("request":")" + std::string(32, 'a') + "\",", ""), kMalformed},
    TextCase{"a request of 31 digits", payload_with(std::string(32, 'a'), std::string(31, 'a')), kMalformed},
    TextCase{"a request in capitals", payload_with(std::string(32, 'a'), std::string(32, 'A')), kMalformed},
    TextCase{"no hash", payload_with(R"("request_sha256":")" + std::string(64, 'b') + "\",", ""), kMalformed},
    TextCase{"a hash of 63 digits", payload_with(std::string(64, 'b'), std::string(63, 'b')), kMalformed},
    TextCase{"a hash in capitals", payload_with(std::string(64, 'b'), std::string(64, 'B')), kMalformed},
    TextCase{"no verdict", payload_with(R"(,"verdict":"approve")", ""), kMalformed},
    TextCase{"another verdict", payload_with("approve", "Approve"), kMalformed},
    TextCase{"a verdict that is true", payload_with(R"("approve")", "true"), kMalformed},
    TextCase{"an empty reason", payload_with(R"("request":)", R"("reason":"","request":)"), kMalformed},
    TextCase{"a reason that is no text", payload_with(R"("request":)", R"("reason":1,"request":)"),
             kMalformed},
    TextCase{"too long a reason",
             payload_with(R"("request":)", R"("reason":")" + std::string(513, 'x') + R"(","request":)"),
             kMalformed},
    TextCase{"a reason of two lines", payload_with(R"("request":)", R"("reason":"a\nb","request":)"),
             kMalformed},
    TextCase{"a member more", payload_with(R"(,"verdict")", R"(,"scope":"x","verdict")"), kMalformed},
    TextCase{"a member twice", payload_with(R"(,"verdict")", R"(,"verdict":"deny","verdict")"),
             ErrorCode::kDuplicateMember},
    TextCase{"white space", payload_with(R"(,"verdict")", R"(, "verdict")"), ErrorCode::kNonCanonical},
    TextCase{"another order",
             payload_with(R"({"iat":1800000000,"iss":"user:bob",)", R"({"iss":"user:bob","iat":1800000000,)"),
             ErrorCode::kNonCanonical},
    TextCase{"another form of the number", payload_with("1800000000", "1.8e9"), ErrorCode::kNonCanonical},
    TextCase{"no object", R"("x")", kMalformed},
};

const std::string kKid(43, 'A');

std::string header_with(std::string_view what, std::string_view by) {
  std::string out = R"({"alg":"ES256","kid":")" + kKid + R"(","typ":"chancery-decision+jwt"})";
  const std::size_t at = out.find(what);
  if (at == std::string::npos) std::abort();  // before there is a test case
  return out.replace(at, what.size(), by);
}

const std::array kHeaders{
    TextCase{"nothing changed", header_with("alg", "alg")},
    TextCase{"Ed25519", header_with("ES256", "Ed25519")},
    TextCase{"another type", header_with("chancery-decision+jwt", "chancery-enrolment+jwt"), kMalformed},
    TextCase{"no type", header_with(R"(,"typ":"chancery-decision+jwt")", ""), kMalformed},
    TextCase{"no algorithm", header_with(R"("alg":"ES256",)", ""), ErrorCode::kUnsupportedAlgorithm},
    TextCase{"none", header_with("ES256", "none"), ErrorCode::kUnsupportedAlgorithm},
    TextCase{"EdDSA", header_with("ES256", "EdDSA"), ErrorCode::kUnsupportedAlgorithm},
    TextCase{"no key", header_with(R"("kid":")" + kKid + "\",", ""), kMalformed},
    TextCase{"a short kid", header_with(kKid, std::string(42, 'A')), kMalformed},
    TextCase{"a kid with spare bits", header_with(kKid, std::string(42, 'A') + "B"), kMalformed},
    TextCase{"a key in it", header_with(R"("kid")", R"("jwk":{},"kid")"), kMalformed},
    TextCase{"an extension", header_with(R"("kid")", R"("crit":[],"kid")"), kMalformed},
    TextCase{"white space", header_with("{", "{ "), ErrorCode::kNonCanonical},
    TextCase{"a passkey that signed as a key", header_with("ES256", "chancery-webauthn-es256"), kMalformed},
};

std::string jws_of(const std::string& header, const std::string& payload, const std::string& signature) {
  return base64url_encode(as_bytes(header)) + "." + base64url_encode(as_bytes(payload)) + "." + signature;
}
const std::string kSignature = base64url_encode(Bytes(64, 1));

BOOST_DATA_TEST_CASE(a_decision_says_what_it_must_and_no_more, boost::unit_test::data::make(kPayloads), row) {
  const std::string jws = jws_of(header_with("alg", "alg"), row.text, kSignature);
  BOOST_TEST((refusal(read_approval_decision(jws)) == row.refused));
}

BOOST_DATA_TEST_CASE(a_header_has_three_members, boost::unit_test::data::make(kHeaders), row) {
  const std::string jws = jws_of(row.text, payload_with("iat", "iat"), kSignature);
  BOOST_TEST((refusal(read_approval_decision(jws)) == row.refused));
}

const std::array kThirdParts{
    TextCase{"64 octets", kSignature},
    TextCase{"63 octets", base64url_encode(Bytes(63, 1)), kMalformed},
    TextCase{"65 octets", base64url_encode(Bytes(65, 1)), kMalformed},
    TextCase{"nothing", "", kMalformed},
    TextCase{"padding", kSignature + "==", kMalformed},
    TextCase{"a fourth part", kSignature + ".", kMalformed},
    TextCase{"more than is read", kSignature + std::string(16384, 'A'), ErrorCode::kTooLarge},
};
BOOST_DATA_TEST_CASE(a_signature_has_64_octets, boost::unit_test::data::make(kThirdParts), row) {
  const std::string jws = jws_of(header_with("alg", "alg"), payload_with("iat", "iat"), row.text);
  BOOST_TEST((refusal(read_approval_decision(jws)) == row.refused));
}

BOOST_AUTO_TEST_CASE(what_is_no_jws_is_no_decision) {
  BOOST_TEST((refusal(read_approval_decision("")) == std::optional(kMalformed)));
  BOOST_TEST((refusal(read_approval_decision("a.b")) == std::optional(kMalformed)));
}

// ---------------------------------------------------------------------------------------------------------
// Whose it is

struct Keys {
  SigningKey key = *SigningKey::generate(Algorithm::kES256);
  SigningKey other = *SigningKey::generate(Algorithm::kES256);
  SigningKey edwards = *SigningKey::generate(Algorithm::kEd25519);
};

struct ForgedCase {
  const char* name;
  std::string (*make)(const Keys& keys);
  ErrorCode refused;
};
std::ostream& operator<<(std::ostream& out, const ForgedCase& row) { return out << row.name; }

std::string with_signature(const ApprovalDecision& decision, const SigningKey& shown,
                           const std::string& jws) {
  const std::string input = approval_decision_input(decision, shown.public_key().algorithm());
  return input + jws.substr(jws.rfind('.'));
}

// An honest decision's signature under something else that it would say.
std::string changed(const Keys& keys, void (*change)(ApprovalDecision& decision)) {
  ApprovalDecision decision = decision_by(keys.key.public_key());
  const std::string jws = sign(decision, keys.key);
  change(decision);
  return with_signature(decision, keys.key, jws);
}

constexpr auto kUnsigned = ErrorCode::kSignatureInvalid;

const std::array kForged{
    ForgedCase{"another verdict",
               [](const Keys& k) {
                 return changed(k, [](ApprovalDecision& d) { d.verdict = ApprovalVerdict::kDeny; });
               },
               kUnsigned},
    ForgedCase{"another request",
               [](const Keys& k) { return changed(k, [](ApprovalDecision& d) { d.request[0] = 'b'; }); },
               kUnsigned},
    ForgedCase{
        "another document",
        [](const Keys& k) { return changed(k, [](ApprovalDecision& d) { d.request_sha256[0] = 'a'; }); },
        kUnsigned},
    ForgedCase{"another approver",
               [](const Keys& k) { return changed(k, [](ApprovalDecision& d) { d.approver = "user:eve"; }); },
               kUnsigned},
    ForgedCase{"another time",
               [](const Keys& k) {
                 return changed(k, [](ApprovalDecision& d) { d.issued_at += std::chrono::seconds(1); });
               },
               kUnsigned},
    ForgedCase{"another reason",
               [](const Keys& k) { return changed(k, [](ApprovalDecision& d) { d.reason = "x"; }); },
               kUnsigned},
    ForgedCase{"another key's decision",
               [](const Keys& k) { return sign(decision_by(k.other.public_key()), k.other); }, kUnsigned},
    ForgedCase{"another key's signature under this one's name",
               [](const Keys& k) { return sign(decision_by(k.key.public_key()), k.other); }, kUnsigned},
    ForgedCase{"another algorithm under this one's name",
               [](const Keys& k) { return sign(decision_by(k.key.public_key()), k.edwards); },
               ErrorCode::kUnsupportedAlgorithm},
    ForgedCase{"a signature for another purpose",
               [](const Keys& k) {
                 EnrolmentAuthorization authorization;
                 authorization.approver = "user:bob@example.org";
                 authorization.audience = "https://chancery.example";
                 authorization.document_sha256 = std::string(64, 'b');
                 authorization.key = k.key.public_key().thumbprint();
                 const std::string input = enrolment_authorization_input(authorization, Algorithm::kES256);
                 return signed_by_key(input, *k.key.sign(as_bytes(input)));
               },
               kMalformed},
};
BOOST_DATA_TEST_CASE(what_the_approver_did_not_sign_is_no_decision, boost::unit_test::data::make(kForged),
                     row) {
  const Keys keys;
  const Status verified = verify_approval_decision(row.make(keys), keys.key.public_key(), local_party());
  BOOST_TEST((refusal(verified) == std::optional(row.refused)));
}

// ---------------------------------------------------------------------------------------------------------
// By a passkey

ApprovalDecision passkey_decision(const MadePasskey& passkey) {
  ApprovalDecision decision = decision_by(passkey.public_key());
  decision.by_passkey = true;
  return decision;
}

BOOST_AUTO_TEST_CASE(a_passkey_decides) {
  const MadePasskey passkey;
  const ApprovalDecision decision = passkey_decision(passkey);
  const std::string jws = passkey.sign_jws(approval_decision_input(decision, Algorithm::kES256));
  const auto read = read_approval_decision(jws);
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST((*read == decision));
  BOOST_TEST(verify_approval_decision(jws, passkey.public_key(), local_party()).has_value());
}

struct PasskeyCase {
  const char* name;
  std::function<std::string(const MadePasskey& passkey, const std::string& input)> make;
  ErrorCode refused;
};
std::ostream& operator<<(std::ostream& out, const PasskeyCase& row) { return out << row.name; }

std::string third_part(const std::string& input, const std::string& json) {
  return input + "." + base64url_encode(as_bytes(json));
}

const std::array kPasskeys{
    PasskeyCase{"an answer for another decision",
                [](const MadePasskey& passkey, const std::string& input) {
                  ApprovalDecision denial = passkey_decision(passkey);
                  denial.verdict = ApprovalVerdict::kDeny;
                  const std::string other =
                      passkey.sign_jws(approval_decision_input(denial, Algorithm::kES256));
                  return input + other.substr(other.rfind('.'));
                },
                ErrorCode::kProofRefused},
    PasskeyCase{"a user who was not verified",
                [](const MadePasskey& passkey, const std::string& input) {
                  PasskeyAnswer answer = MadePasskey::answer_to(passkey_challenge(input));
                  answer.flags = MadePasskey::kUserPresent;
                  return signed_by_passkey(input, passkey.sign(answer));
                },
                ErrorCode::kProofRefused},
    PasskeyCase{"another passkey",
                [](const MadePasskey&, const std::string& input) { return MadePasskey().sign_jws(input); },
                ErrorCode::kSignatureInvalid},
    PasskeyCase{"an assertion that is not in JCS",
                [](const MadePasskey& passkey, const std::string& input) {
                  const auto answer = passkey.sign(MadePasskey::answer_to(passkey_challenge(input)));
                  return third_part(input, passkey_assertion_json(answer) + " ");
                },
                ErrorCode::kNonCanonical},
    PasskeyCase{"an assertion with a member more",
                [](const MadePasskey& passkey, const std::string& input) {
                  const auto answer = passkey.sign(MadePasskey::answer_to(passkey_challenge(input)));
                  std::string json = passkey_assertion_json(answer);
                  json.insert(json.size() - 1, R"(,"userHandle":"AA")");
                  return third_part(input, json);
                },
                kMalformed},
    PasskeyCase{"no assertion",
                [](const MadePasskey&, const std::string& input) { return input + "." + kSignature; },
                kMalformed},
};
BOOST_DATA_TEST_CASE(a_passkey_decides_in_one_form_and_for_one_decision,
                     boost::unit_test::data::make(kPasskeys), row) {
  const MadePasskey passkey;
  const std::string input = approval_decision_input(passkey_decision(passkey), Algorithm::kES256);
  const Status verified =
      verify_approval_decision(row.make(passkey, input), passkey.public_key(), local_party());
  BOOST_TEST((refusal(verified) == std::optional(row.refused)));
}

BOOST_AUTO_TEST_CASE(no_passkey_decides_where_none_is_accepted) {
  const MadePasskey passkey;
  const std::string jws =
      passkey.sign_jws(approval_decision_input(passkey_decision(passkey), Algorithm::kES256));
  const Status verified = verify_approval_decision(jws, passkey.public_key(), std::nullopt);
  BOOST_TEST((refusal(verified) == std::optional(ErrorCode::kUnsupportedAlgorithm)));
}

struct PartyCase {
  const char* name;
  void (*change)(PasskeyAnswer& answer);
  std::optional<ErrorCode> refused{};
};
std::ostream& operator<<(std::ostream& out, const PartyCase& row) { return out << row.name; }

const std::array kParties{
    PartyCase{"this one", [](PasskeyAnswer&) {}},
    PartyCase{"another RP id", [](PasskeyAnswer& a) { a.rp_id = "console.example"; }},
    PartyCase{"another origin", [](PasskeyAnswer& a) { a.origin = "https://console.example"; }},
    PartyCase{"a frame of another site",
              [](PasskeyAnswer& a) { a.more_client_data = R"(,"crossOrigin":true)"; },
              ErrorCode::kProofRefused},
    PartyCase{"another type", [](PasskeyAnswer& a) { a.type = "webauthn.create"; }, ErrorCode::kProofRefused},
    PartyCase{"another challenge", [](PasskeyAnswer& a) { a.challenge = base64url_encode(Bytes(32, 1)); },
              ErrorCode::kProofRefused},
    PartyCase{"nobody there", [](PasskeyAnswer& a) { a.flags = MadePasskey::kUserVerified; },
              ErrorCode::kProofRefused},
    PartyCase{"nobody verified", [](PasskeyAnswer& a) { a.flags = MadePasskey::kUserPresent; },
              ErrorCode::kProofRefused},
};
BOOST_DATA_TEST_CASE(of_any_party_is_what_the_passkey_signed_for_one, boost::unit_test::data::make(kParties),
                     row) {
  const MadePasskey passkey;
  const std::string input = approval_decision_input(passkey_decision(passkey), Algorithm::kES256);
  PasskeyAnswer answer = MadePasskey::answer_to(passkey_challenge(input));
  row.change(answer);
  const std::string jws = signed_by_passkey(input, passkey.sign(answer));
  BOOST_TEST((refusal(verify_approval_decision_of_any_party(jws, passkey.public_key())) == row.refused));
  const std::string by_other = signed_by_passkey(input, MadePasskey().sign(answer));
  BOOST_TEST(!verify_approval_decision_of_any_party(by_other, passkey.public_key()));
}

// A passkey's decision says itself that it is one: its key cannot be made to sign a plain JWS, nor the other way round.
BOOST_AUTO_TEST_CASE(a_plain_decision_has_no_assertion) {
  const MadePasskey passkey;
  const ApprovalDecision plain = decision_by(passkey.public_key());
  const std::string jws = passkey.sign_jws(approval_decision_input(plain, Algorithm::kES256));
  const Status verified = verify_approval_decision(jws, passkey.public_key(), local_party());
  BOOST_TEST((refusal(verified) == std::optional(kMalformed)));
}

}  // namespace
}  // namespace chancery::tests
