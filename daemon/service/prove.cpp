#include <chancery/proof.hpp>

#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/issuing.hpp"
#include "daemon/service/watched.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::service {
namespace {

// Where a proof is for, and the hash of the action that it authorizes, are parameters of what the agent is about to do.
AuditFacts facts_of(const Office& office, const CallContext& context, const AgentChain& held,
                    const api::CreateProof& message, const std::string& jti) {
  json::Node parameters = json::Node::object({{"htm", message.htm}, {"htu", message.htu}});
  if (message.ada) parameters.set("ada", *message.ada);
  return {.principal = held.chain.principal(),
          .agent = held.holder.name,
          .ids = {{"token", hex_encode(held.chain.leaf().digest())},
                  {"key", held.holder.key.stored.public_key.thumbprint().text()},
                  {"proof", jti}},
          .details = json::Node::object(
              {{"htm", message.htm},
               {"params", office.audit.hash_parameters(context.request_id, json::to_jcs(parameters))}})};
}

Result<api::Proof> prove(Office& office, const CallContext& context, const api::CreateProof& message,
                         anomaly::Use& use) {
  note_attempt(context, {.ids = {{"token", leaf_id(message.chain)}}});
  CHANCERY_ASSIGN(const AgentChain held,
                  require_holder(office, context, scope::kProofsCreate, message.chain));
  note_agent(use, held.holder);
  use.host = host_of(message.htu);
  ProofClaims claims{message.htm, message.htu, {}, message.nonce, message.ada};
  CHANCERY_ASSIGN(claims.jti, random_id());
  CHANCERY_ASSIGN(const UnsignedProof proof,
                  UnsignedProof::encode(claims, held.chain.leaf().compact(),
                                        held.holder.key.stored.public_key, context.now));
  CHANCERY_ASSIGN(const Signature signature, sign_as(office, context, held.holder, proof.signing_input()));

  CHANCERY_TRY(office.store.record_use(
      held.holder.key.stored.public_key.thumbprint(),
      audit_entry("proof.create", context, facts_of(office, context, held, message, claims.jti))));
  return api::Proof{proof.with(signature)};
}

}  // namespace

Result<api::Proof> prove(Office& office, const CallContext& context, const api::CreateProof& message) {
  return watched(office, context, [&](anomaly::Use& use) { return prove(office, context, message, use); });
}

}  // namespace chancery::service
