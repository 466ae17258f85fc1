#include "daemon/service/sessions.hpp"

#include "daemon/service/authority.hpp"
#include "daemon/service/key_proof.hpp"
#include "daemon/service/watched.hpp"

namespace chancery::service {
namespace {

// A session acts as the agent itself, with all that the leaf allows, and hands nothing on: its token's place is
// the last.
Result<Claims> session_claims(const VerifiedChain& chain, const Thumbprint& key,
                              std::chrono::seconds lifetime, std::chrono::sys_seconds now) {
  const Claims& leaf = chain.leaf().claims();
  DelegationRequest request;
  request.client_id = leaf.client_id;
  request.holder = key;
  request.authority = leaf.authority;
  request.lifetime = lifetime;
  CHANCERY_ASSIGN(request.jti, random_id());
  CHANCERY_ASSIGN(Attenuation child, attenuate(chain.leaf(), chain.max_depth(), request, now));
  child.claims.del_max_depth = child.claims.del_depth + 1;
  child.claims.is_session = true;
  return std::move(child.claims);
}

}  // namespace

Result<api::Session> hand_to_session(Office& office, const CallContext& context, const AgentChain& held,
                                     const Thumbprint& key, std::chrono::seconds lifetime) {
  CHANCERY_ASSIGN(const Claims claims, session_claims(held.chain, key, lifetime, context.now));
  CHANCERY_ASSIGN(std::string token, issue_child(office, context, held, claims, nullptr, "token.session"));
  api::Session session{{}, static_cast<std::int64_t>(claims.exp)};
  for (const auto& parent : held.chain.tokens()) session.chain.emplace_back(parent->compact());
  session.chain.push_back(std::move(token));
  return session;
}

namespace {

Result<api::Session> open_session(Office& office, const CallContext& context,
                                  const api::CreateSession& message, anomaly::Use& use) {
  note_attempt(context, {.ids = {{"parent", leaf_id(message.chain)}}});
  CHANCERY_ASSIGN(const AgentChain held,
                  require_holder(office, context, scope::kSessionsCreate, message.chain));
  note_agent(use, held.holder);
  const NewKeyProof proof{message.key_proof, "/v1/sessions", held.chain.leaf().compact()};
  CHANCERY_ASSIGN(const ProvedKey proved, find_new_key(office, proof, context.now));
  const Thumbprint key = proved.key.thumbprint();
  CHANCERY_TRY(require_first_use(office, key, proved.jti, DpopPresentation{}, context.now));
  return hand_to_session(office, context, held, key, message.lifetime);
}

}  // namespace

Result<api::Session> open_session(Office& office, const CallContext& context,
                                  const api::CreateSession& message) {
  return watched(office, context,
                 [&](anomaly::Use& use) { return open_session(office, context, message, use); });
}

}  // namespace chancery::service
