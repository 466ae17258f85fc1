#include "tests/unit/sdk/issued_chain.hpp"

#include "sdk/base/base64url.hpp"

namespace chancery::tests {

Claims root_claims(const PublicKey& holder) {
  const auto now = static_cast<double>(kIssuedNow.time_since_epoch().count());
  Claims claims;
  claims.iss = "https://as.example.net";
  claims.sub = "user:ana@example.net";
  claims.client_id = "spiffe://example.net/agent/0";
  claims.jti = "root";
  claims.aud = {"https://ledger.example.net"};
  claims.iat = now;
  claims.exp = now + 3600;
  claims.holder = holder.thumbprint();
  claims.del_max_depth = 16;
  claims.authority.scopes = {"ledger.*", "docs.export"};
  claims.authority.constraints = {{"amount", NumberBound{NumberBound::Type::kMax, 500}}};
  return claims;
}

Claims child_claims(const Token& parent, const PublicKey& holder) {
  Claims claims = parent.claims();
  claims.iss = parent.claims().client_id;
  claims.del_depth = parent.claims().del_depth + 1;
  claims.client_id = "spiffe://example.net/agent/" + std::to_string(claims.del_depth);
  claims.jti = "child-" + std::to_string(claims.del_depth);
  claims.holder = holder.thumbprint();
  claims.del_max_depth.reset();
  claims.par_hash = base64url_encode(parent.digest());
  return claims;
}

std::string sign_token(const Claims& claims, const SigningKey& signer, bool by_holder) {
  const UnsignedToken token = UnsignedToken::encode(claims, signer.public_key(), by_holder);
  return token.with(signer.sign(as_bytes(token.signing_input())).value());
}

TrustSnapshot IssuedChain::trust() const {
  TrustConfig trust;
  trust.anchors.emplace_back().keys = {keys.front().public_key()};
  return TrustSnapshot(std::move(trust));
}

void IssuedChain::extend(const Claims& claims, SigningKey holder) {
  tokens.push_back(sign_token(claims, leaf_key(), true));
  keys.push_back(std::move(holder));
}

IssuedChain issue_root(Claims claims, Algorithm algorithm) {
  IssuedChain chain;
  chain.keys.push_back(SigningKey::generate(algorithm).value());
  SigningKey holder = SigningKey::generate(algorithm).value();
  claims.holder = holder.public_key().thumbprint();
  chain.tokens.push_back(sign_token(claims, chain.keys.front(), false));
  chain.keys.push_back(std::move(holder));
  return chain;
}

IssuedChain issue_chain(std::size_t tokens, Algorithm algorithm) {
  IssuedChain chain = issue_root(root_claims({}), algorithm);
  while (chain.tokens.size() < tokens) {
    SigningKey holder = SigningKey::generate(algorithm).value();
    const Claims claims = child_claims(chain.leaf(), holder.public_key());
    chain.extend(claims, std::move(holder));
  }
  return chain;
}

}  // namespace chancery::tests
