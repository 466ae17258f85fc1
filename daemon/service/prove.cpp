#include <chancery/proof.hpp>

#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/issuing.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::service {
Result<api::Proof> prove(Office& office, const CallContext& context, const api::CreateProof& message) {
  CHANCERY_ASSIGN(const AgentChain held,
                  require_holder(office, context, scope::kProofsCreate, message.chain));
  ProofClaims claims{message.htm, message.htu, {}, message.nonce, message.ada};
  CHANCERY_ASSIGN(claims.jti, random_id());
  CHANCERY_ASSIGN(const UnsignedProof proof,
                  UnsignedProof::encode(claims, held.chain.leaf().compact(),
                                        held.holder.key.stored.public_key, context.now));
  CHANCERY_ASSIGN(const Signature signature, sign_as(office, context, held.holder, proof.signing_input()));

  json::Node details = json::Node::object({{"agent", held.holder.name},
                                           {"token", hex_encode(held.chain.leaf().digest())},
                                           {"principal", held.chain.principal()},
                                           {"jti", claims.jti},
                                           {"htm", message.htm},
                                           {"htu_sha256", hex_encode(sha256(as_bytes(message.htu)))}});
  if (message.ada) details.set("ada", *message.ada);
  CHANCERY_TRY(office.store.record_use(held.holder.key.stored.public_key.thumbprint(),
                                       audit_entry("proof", context, details)));
  return api::Proof{proof.with(signature)};
}

}  // namespace chancery::service
