#include "sdk/verify/attestation_result.hpp"

#include <string>

#include "sdk/base/base64url.hpp"
#include "tests/fuzz/signed_chain.hpp"
#include "tests/fuzz/target.hpp"

// An input is a compact attestation result; or, when it begins with a brace, its payload. What verifies is written again
// and reads as the same.

namespace chancery::fuzz {
namespace {

const SigningKey& verifier() { return hop_keys().signers.front(); }

std::string header() {
  return R"({"alg":"Ed25519","kid":")" + verifier().public_key().thumbprint().text() +
         R"(","typ":"eat+jwt"})";
}

std::string token_of(const std::string& input) {
  return input.starts_with('{') ? signed_jws(header(), input, verifier()) : input;
}

std::string written(const AttestationResult& result) {
  const std::string signing_input = attestation_result_signing_input(result, verifier().public_key());
  return signing_input + "." + base64url_encode(verifier().sign(as_bytes(signing_input)).value());
}

}  // namespace
}  // namespace chancery::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  static const std::vector<VerifyKey> keys{VerifyKey::from(fuzz::verifier().public_key()).value()};
  const std::string token = fuzz::token_of(std::string(fuzz::text_of(data, size)));
  const auto parsed = SignedAttestationResult::parse(token);
  if (!parsed) return 0;
  fuzz::require(parsed->compact() == token && parsed->named_signer({}) == nullptr);
  const auto opened = open_attestation_result(token, keys);
  if (!opened) return 0;
  const std::string again = fuzz::written(*opened);
  const auto reopened = open_attestation_result(again, keys);
  fuzz::require(reopened.has_value() && fuzz::written(*reopened) == again);
  return 0;
}
