// Who may decide: enrolments and revocations of keys, and what an approver says of them.

#include <array>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/approval_decision.hpp>
#include <chancery/approver_enrolment.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "tests/unit/sdk/made_passkey.hpp"

namespace chancery::tests {
namespace {

constexpr auto kMalformed = ErrorCode::kMalformed;

template <typename T>
std::optional<ErrorCode> refusal(const Result<T>& result) {
  return result ? std::nullopt : std::optional(result.error().code);
}

PublicKey new_key(Algorithm algorithm) { return SigningKey::generate(algorithm)->public_key(); }

Enrolment enrolment_of(const PublicKey& key) {
  return {"user:bob@example.org", {"finance", "ops"}, key, "file", "", ""};
}

struct FormCase {
  const char* name;
  void (*change)(Enrolment& enrolment);
  std::optional<ErrorCode> refused{};
};
std::ostream& operator<<(std::ostream& out, const FormCase& row) { return out << row.name; }

const std::string kOtherKey = base64url_encode(Bytes(32, 1));

std::vector<std::string> many_groups(std::size_t count) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back("g" + std::to_string(100 + i));
  return out;
}

const std::array kForms{
    FormCase{"a file", [](Enrolment&) {}},
    FormCase{"a TPM", [](Enrolment& e) { e.kind = "tpm"; }},
    FormCase{"a token", [](Enrolment& e) { e.kind = "pkcs11"; }},
    FormCase{"Ed25519", [](Enrolment& e) { e.key = new_key(Algorithm::kEd25519); }},
    FormCase{"no groups", [](Enrolment& e) { e.groups.clear(); }},
    FormCase{"the most groups", [](Enrolment& e) { e.groups = many_groups(32); }},
    FormCase{"a key that ends", [](Enrolment& e) { e.replaces = kOtherKey; }},
    FormCase{"a passkey",
             [](Enrolment& e) {
               e.kind = "passkey";
               e.credential_id = "wP_uAQ";
             }},
    FormCase{"no principal", [](Enrolment& e) { e.principal.clear(); }, kMalformed},
    FormCase{"a group as principal", [](Enrolment& e) { e.principal = "group:finance"; }, kMalformed},
    FormCase{"a principal in two lines", [](Enrolment& e) { e.principal = "user:a\nuser:b"; }, kMalformed},
    FormCase{"a principal whom no gate can name", [](Enrolment& e) { e.principal = "bob"; }, kMalformed},
    FormCase{"the longest principal", [](Enrolment& e) { e.principal = "user:" + std::string(251, 'p'); }},
    FormCase{"too long a principal", [](Enrolment& e) { e.principal = "user:" + std::string(252, 'p'); },
             kMalformed},
    FormCase{"groups in another order",
             [](Enrolment& e) {
               e.groups = {"ops", "finance"};
             },
             kMalformed},
    FormCase{"a group twice",
             [](Enrolment& e) {
               e.groups = {"ops", "ops"};
             },
             kMalformed},
    FormCase{"a group that is no name", [](Enrolment& e) { e.groups = {"Finance"}; }, kMalformed},
    FormCase{"a group as gates name it", [](Enrolment& e) { e.groups = {"group:finance"}; }, kMalformed},
    FormCase{"too many groups", [](Enrolment& e) { e.groups = many_groups(33); }, kMalformed},
    FormCase{"another kind", [](Enrolment& e) { e.kind = "paper"; }, kMalformed},
    FormCase{"a passkey without its id", [](Enrolment& e) { e.kind = "passkey"; }, kMalformed},
    FormCase{"an id without a passkey", [](Enrolment& e) { e.credential_id = "wP_uAQ"; }, kMalformed},
    FormCase{"an id that is no base64url",
             [](Enrolment& e) {
               e.kind = "passkey";
               e.credential_id = "wP/uAQ";
             },
             kMalformed},
    FormCase{"an id of 1024 octets",
             [](Enrolment& e) {
               e.kind = "passkey";
               e.credential_id = base64url_encode(Bytes(1024, 1));
             },
             kMalformed},
    FormCase{"a passkey with an Ed25519 key",
             [](Enrolment& e) {
               e.kind = "passkey";
               e.credential_id = "wP_uAQ";
               e.key = new_key(Algorithm::kEd25519);
             },
             ErrorCode::kUnsupportedAlgorithm},
    FormCase{"a point beside the curve", [](Enrolment& e) { e.key = PublicKey::p256({1}, {1}); },
             ErrorCode::kInvalidKey},
    FormCase{"a key that ends itself", [](Enrolment& e) { e.replaces = e.key.thumbprint().text(); },
             kMalformed},
    FormCase{"a thumbprint that is none", [](Enrolment& e) { e.replaces = "x"; }, kMalformed},
};
BOOST_DATA_TEST_CASE(an_enrolment_is_read_as_it_is_written, boost::unit_test::data::make(kForms), row) {
  Enrolment enrolment = enrolment_of(new_key(Algorithm::kES256));
  row.change(enrolment);
  const auto read = read_enrolment(enrolment_document(enrolment));
  BOOST_TEST((refusal(read) == row.refused));
  if (read) BOOST_TEST((*read == enrolment));
}

struct TextCase {
  const char* name;
  std::string_view what;
  std::string_view by;
  ErrorCode refused;
};
std::ostream& operator<<(std::ostream& out, const TextCase& row) { return out << row.name; }

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const std::size_t at = text.find(what);
  BOOST_REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

constexpr std::array kEnrolmentTexts{
    TextCase{"another type", "chancery-approver-enrolment", "chancery-approver-revocation", kMalformed},
    TextCase{"the next version", R"("v":1)", R"("v":2)", kMalformed},
    TextCase{"no version", R"(,"v":1)", "", kMalformed},
    TextCase{"a member more", R"("typ")", R"("role":"all","typ")", kMalformed},
    TextCase{"a member twice", R"("typ")", R"("principal":"user:eve","typ")", ErrorCode::kDuplicateMember},
    TextCase{"white space", R"("typ")", R"( "typ")", ErrorCode::kNonCanonical},
    TextCase{"no groups", R"("groups":["finance","ops"],)", "", kMalformed},
    TextCase{"a group that is a number", R"("ops")", "1", kMalformed},
    TextCase{"no kind", R"("kind":"file",)", "", kMalformed},
    TextCase{"an empty id", R"("groups")", R"("credential_id":"","groups")", kMalformed},
    TextCase{"an empty thumbprint", R"("typ")", R"("replaces":"","typ")", kMalformed},
    TextCase{"a key with a name", R"("kty":"EC")", R"("kid":"x","kty":"EC")", kMalformed},
    TextCase{"a private key", R"("kty":"EC")", R"("d":"AA","kty":"EC")", ErrorCode::kInvalidKey},
};
BOOST_DATA_TEST_CASE(an_enrolment_has_one_form, boost::unit_test::data::make(kEnrolmentTexts), row) {
  const std::string honest = enrolment_document(enrolment_of(new_key(Algorithm::kES256)));
  const auto read = read_enrolment(replaced(honest, row.what, row.by));
  BOOST_TEST((refusal(read) == std::optional(row.refused)));
}

BOOST_AUTO_TEST_CASE(an_enrolment_is_short) {
  BOOST_TEST((refusal(read_enrolment(std::string(16385, ' '))) == std::optional(ErrorCode::kTooLarge)));
  BOOST_TEST((refusal(read_key_revocation(std::string(16385, ' '))) == std::optional(ErrorCode::kTooLarge)));
}

constexpr std::array kRevocationTexts{
    TextCase{"another type", "chancery-approver-revocation", "chancery-approver-enrolment", kMalformed},
    TextCase{"the next version", R"("v":1)", R"("v":2)", kMalformed},
    TextCase{"a member more", R"("typ")", R"("reason":"lost","typ")", kMalformed},
    TextCase{"no principal", R"("principal":"user:bob",)", "", kMalformed},
    TextCase{"a group", "user:bob", "group:bob", kMalformed},
    TextCase{"a principal without a kind", "user:bob", "bob", kMalformed},
    TextCase{"no key", R"("key")", R"("kex")", kMalformed},
    TextCase{"white space", R"("typ")", R"( "typ")", ErrorCode::kNonCanonical},
};
BOOST_DATA_TEST_CASE(a_revocation_has_one_form, boost::unit_test::data::make(kRevocationTexts), row) {
  const KeyRevocation revocation{"user:bob", new_key(Algorithm::kES256).thumbprint()};
  const std::string honest = key_revocation_document(revocation);
  const auto read = read_key_revocation(honest);
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST((*read == revocation));
  BOOST_TEST(
      (refusal(read_key_revocation(replaced(honest, row.what, row.by))) == std::optional(row.refused)));
}

// ---------------------------------------------------------------------------------------------------------
// Authorizations

EnrolmentAuthorization authorization_by(const PublicKey& key) {
  EnrolmentAuthorization out;
  out.approver = "user:alice@example.org";
  out.audience = "https://chancery.example";
  out.document_sha256 = hex_encode(sha256(as_bytes(enrolment_document(enrolment_of(key)))));
  out.issued_at = std::chrono::sys_seconds(std::chrono::seconds(1'800'000'000));
  out.key = key.thumbprint();
  return out;
}

std::string sign(const EnrolmentAuthorization& authorization, const SigningKey& key) {
  const std::string input = enrolment_authorization_input(authorization, key.public_key().algorithm());
  return signed_by_key(input, *key.sign(as_bytes(input)));
}

BOOST_AUTO_TEST_CASE(an_authorization_is_read_and_verifies_as_it_was_signed) {
  for (const Algorithm algorithm : {Algorithm::kES256, Algorithm::kEd25519}) {
    const SigningKey key = *SigningKey::generate(algorithm);
    const EnrolmentAuthorization authorization = authorization_by(key.public_key());
    const std::string jws = sign(authorization, key);
    const auto read = read_enrolment_authorization(jws);
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST((*read == authorization));
    BOOST_TEST(verify_enrolment_authorization(jws, key.public_key(), std::nullopt).has_value());
  }
}

BOOST_AUTO_TEST_CASE(a_passkey_authorizes) {
  const MadePasskey passkey;
  EnrolmentAuthorization authorization = authorization_by(passkey.public_key());
  authorization.by_passkey = true;
  const std::string jws = passkey.sign_jws(enrolment_authorization_input(authorization, Algorithm::kES256));
  BOOST_TEST(verify_enrolment_authorization(jws, passkey.public_key(), local_party()).has_value());
  const Status unaccepted = verify_enrolment_authorization(jws, passkey.public_key(), std::nullopt);
  BOOST_TEST((refusal(unaccepted) == std::optional(ErrorCode::kUnsupportedAlgorithm)));
}

struct ClaimCase {
  const char* name;
  void (*change)(EnrolmentAuthorization& authorization);
};
std::ostream& operator<<(std::ostream& out, const ClaimCase& row) { return out << row.name; }

constexpr std::array kClaims{
    ClaimCase{"no approver", [](EnrolmentAuthorization& a) { a.approver.clear(); }},
    ClaimCase{"a group as approver", [](EnrolmentAuthorization& a) { a.approver = "group:ops"; }},
    ClaimCase{"an approver without a kind", [](EnrolmentAuthorization& a) { a.approver = "bob"; }},
    ClaimCase{"no daemon", [](EnrolmentAuthorization& a) { a.audience.clear(); }},
    ClaimCase{"too long a daemon", [](EnrolmentAuthorization& a) { a.audience = std::string(513, 'a'); }},
    ClaimCase{"no document", [](EnrolmentAuthorization& a) { a.document_sha256.clear(); }},
    ClaimCase{"a document in capitals",
              [](EnrolmentAuthorization& a) { a.document_sha256 = std::string(64, 'A'); }},
    ClaimCase{
        "before 1970",
        [](EnrolmentAuthorization& a) { a.issued_at = std::chrono::sys_seconds(std::chrono::seconds(-1)); }},
};
BOOST_DATA_TEST_CASE(an_authorization_says_what_it_must, boost::unit_test::data::make(kClaims), row) {
  const SigningKey key = *SigningKey::generate(Algorithm::kES256);
  EnrolmentAuthorization authorization = authorization_by(key.public_key());
  row.change(authorization);
  const std::string jws = sign(authorization, key);
  BOOST_TEST((refusal(read_enrolment_authorization(jws)) == std::optional(kMalformed)));
  const Status verified = verify_enrolment_authorization(jws, key.public_key(), std::nullopt);
  BOOST_TEST((refusal(verified) == std::optional(kMalformed)));
}

constexpr std::array kChanged{
    ClaimCase{"another approver", [](EnrolmentAuthorization& a) { a.approver = "user:eve"; }},
    ClaimCase{"another daemon", [](EnrolmentAuthorization& a) { a.audience = "https://other.example"; }},
    ClaimCase{"another document",
              [](EnrolmentAuthorization& a) { a.document_sha256 = std::string(64, '0'); }},
    ClaimCase{"another time", [](EnrolmentAuthorization& a) { a.issued_at += std::chrono::seconds(1); }},
};
BOOST_DATA_TEST_CASE(what_the_approver_did_not_sign_authorizes_nothing,
                     boost::unit_test::data::make(kChanged), row) {
  const SigningKey key = *SigningKey::generate(Algorithm::kES256);
  EnrolmentAuthorization authorization = authorization_by(key.public_key());
  const std::string honest = sign(authorization, key);
  row.change(authorization);
  const std::string forged =
      enrolment_authorization_input(authorization, Algorithm::kES256) + honest.substr(honest.rfind('.'));
  const Status verified = verify_enrolment_authorization(forged, key.public_key(), std::nullopt);
  BOOST_TEST((refusal(verified) == std::optional(ErrorCode::kSignatureInvalid)));
}

BOOST_AUTO_TEST_CASE(another_key_authorizes_for_nobody_else) {
  const SigningKey key = *SigningKey::generate(Algorithm::kES256);
  const SigningKey other = *SigningKey::generate(Algorithm::kES256);
  const std::string jws = sign(authorization_by(other.public_key()), other);
  const Status verified = verify_enrolment_authorization(jws, key.public_key(), std::nullopt);
  BOOST_TEST((refusal(verified) == std::optional(ErrorCode::kSignatureInvalid)));
}

// A decision is never an authorization, whatever its claims.
BOOST_AUTO_TEST_CASE(a_decision_authorizes_nothing) {
  const SigningKey key = *SigningKey::generate(Algorithm::kES256);
  ApprovalDecision decision;
  decision.approver = "user:alice@example.org";
  decision.request = std::string(32, 'a');
  decision.request_sha256 = std::string(64, 'b');
  decision.key = key.public_key().thumbprint();
  const std::string input = approval_decision_input(decision, Algorithm::kES256);
  const std::string jws = signed_by_key(input, *key.sign(as_bytes(input)));
  const Status verified = verify_enrolment_authorization(jws, key.public_key(), std::nullopt);
  BOOST_TEST((refusal(verified) == std::optional(kMalformed)));
}

}  // namespace
}  // namespace chancery::tests
