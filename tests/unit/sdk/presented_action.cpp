#include "tests/unit/sdk/presented_action.hpp"

namespace chancery::tests {

std::string sign_proof(const IssuedChain& chain, const ProofClaims& claims) {
  const SigningKey& holder = chain.leaf_key();
  const auto proof =
      UnsignedProof::encode(claims, chain.tokens.back(), holder.public_key(), kIssuedNow).value();
  return proof.with(holder.sign(as_bytes(proof.signing_input())).value());
}

std::string proof_for(const IssuedChain& chain, std::string_view jti) {
  return sign_proof(chain, {"POST", kActionUri, std::string(jti)});
}

ActionRequest action_for(const IssuedChain& chain) {
  ActionRequest request;
  request.audience = "https://ledger.example.net";
  request.scope = "ledger.pay";
  request.parameters.emplace("amount", ParameterValue::of(100));
  request.dpop = DpopPresentation{proof_for(chain), "POST", kActionUri, std::nullopt};
  request.seen = [](const Thumbprint&, std::string_view) { return false; };
  return request;
}

Verdict verify_action(const IssuedChain& chain, const ActionRequest& request, VerifyOptions options) {
  options.request = &request;
  return verify_chain(chain.views(), chain.trust(), kIssuedNow, options);
}

}  // namespace chancery::tests
