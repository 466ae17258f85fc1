#include "tests/unit/sdk/vouched_chain.hpp"

#include "sdk/base/base64url.hpp"

namespace chancery::tests {

using std::chrono::minutes;

AttestationResult result_about(const Thumbprint& key) {
  AttestationResult result;
  result.issuer = "https://verifier.example";
  result.issued_at = kIssuedNow - minutes(1);
  result.expires_at = kIssuedNow + minutes(59);
  result.key = key;
  result.custody = Custody::kTpmCertified;
  result.policy = "production";
  result.ek_fingerprint = std::string(64, 'a');
  result.manufacturer = "id:53544D20";
  result.endorsement = "root";
  result.firmware = 0x0001000200030004;
  result.reset_count = 7;
  result.restart_count = 2;
  result.is_clock_safe = true;
  result.evidence_at = kIssuedNow - minutes(2);
  return result;
}

std::string sign_result(const AttestationResult& result, const SigningKey& verifier) {
  const std::string signing_input = attestation_result_signing_input(result, verifier.public_key());
  return signing_input + "." + base64url_encode(verifier.sign(as_bytes(signing_input)).value());
}

TrustAnchor VouchedChain::anchor() const {
  TrustAnchor anchor;
  anchor.keys = {chain.keys.front().public_key()};
  anchor.attestation_verifiers = {verifier.public_key()};
  return anchor;
}

TrustSnapshot VouchedChain::trust() const {
  TrustConfig trust;
  trust.anchors.push_back(anchor());
  return TrustSnapshot(std::move(trust));
}

std::vector<std::string> VouchedChain::signed_results() const {
  std::vector<std::string> out;
  for (const AttestationResult& result : results) out.push_back(sign_result(result, verifier));
  return out;
}

VouchedChain vouched_chain(std::size_t tokens) {
  VouchedChain out{issue_chain(tokens), SigningKey::generate(Algorithm::kES256).value(), {}};
  for (std::size_t i = 1; i < out.chain.keys.size(); ++i) {
    out.results.push_back(result_about(out.chain.keys[i].public_key().thumbprint()));
  }
  return out;
}

}  // namespace chancery::tests
