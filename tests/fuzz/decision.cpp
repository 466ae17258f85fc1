#include <string>

#include <chancery/approval_decision.hpp>

#include "sdk/base/base64url.hpp"
#include "tests/fuzz/target.hpp"

// An input is a compact decision or authorization, or a document, or what a passkey answers; or, with two line ends in it, a
// header, a payload and a third part to be encoded as one.

namespace chancery::fuzz {
namespace {

const Bytes kChallenge(32, 0x5A);

RelyingParty party() { return {"localhost", {"https://localhost:8443"}}; }

std::string compact_of(std::string_view input) {
  const std::size_t first = input.find('\n');
  const std::size_t second = first == std::string_view::npos ? first : input.find('\n', first + 1);
  if (second == std::string_view::npos) return std::string(input);
  const auto encoded = [](std::string_view part) { return base64url_encode(as_bytes(part)); };
  return encoded(input.substr(0, first)) + "." + encoded(input.substr(first + 1, second - first - 1)) + "." +
         encoded(input.substr(second + 1));
}

// What was read has one form alone: written again, it is what was read.
template <typename Claims>
void check_form(const Claims& claims, std::string_view compact,
                std::string (*input_of)(const Claims& claims, Algorithm algorithm)) {
  const std::string_view input = compact.substr(0, compact.rfind('.'));
  const bool is_p256 = input_of(claims, Algorithm::kES256) == input;
  require(is_p256 || (!claims.by_passkey && input_of(claims, Algorithm::kEd25519) == input));
}

void check_signed(std::string_view compact) {
  const auto decision = read_approval_decision(compact);
  if (decision) check_form<ApprovalDecision>(*decision, compact, approval_decision_input);
  const auto authorization = read_enrolment_authorization(compact);
  if (authorization)
    check_form<EnrolmentAuthorization>(*authorization, compact, enrolment_authorization_input);
  require(!decision || !authorization);
  // Nobody has this key.
  const PublicKey nobody = PublicKey::ed25519({});
  require(!verify_approval_decision(compact, nobody, party()));
  require(!verify_enrolment_authorization(compact, nobody, party()));
}

void check_documents(std::string_view text) {
  const auto enrolment = read_enrolment(text);
  require(!enrolment || enrolment_document(*enrolment) == text);
  const auto revocation = read_key_revocation(text);
  require(!revocation || key_revocation_document(*revocation) == text);
}

void check_passkey(std::string_view text) {
  if (const auto assertion = read_passkey_assertion(text)) {
    const auto again = read_passkey_assertion(passkey_assertion_json(*assertion));
    require(again && again->client_data == assertion->client_data &&
            again->signature == assertion->signature);
    require(!verify_passkey_assertion(*assertion, kChallenge, PublicKey::p256({}, {}), party()));
  }
  if (const auto registration = read_passkey_registration(text)) {
    const auto passkey = check_passkey_registration(*registration, kChallenge, party());
    require(!passkey || passkey->credential_id == base64url_encode(registration->credential_id));
  }
}

}  // namespace
}  // namespace chancery::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  const std::string_view input = fuzz::text_of(data, size);
  fuzz::check_signed(fuzz::compact_of(input));
  fuzz::check_documents(input);
  fuzz::check_passkey(input);
  return 0;
}
