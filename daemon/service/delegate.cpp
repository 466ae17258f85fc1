#include "daemon/service/authority.hpp"
#include "daemon/service/issuing.hpp"
#include "daemon/service/watched.hpp"
#include "sdk/token/authority_json.hpp"

namespace chancery::service {
namespace {

// The receiver by name, or by its SPIFFE ID in this trust domain.
Result<store::Agent> find_receiver(const Office& office, std::string_view to) {
  auto agent = office.store.agent_by_name(agent_name(*office.policy.current(), to));
  if (agent || agent.error().code != ErrorCode::kNotFound) return agent;
  return Error{ErrorCode::kNotFound, "`to` names no registered agent: register it first"};
}

// `depth` D counts agents and stands in the chain as D + 1: the place beyond the last agent is for its
// session.
Status require_room_for_agent(const VerifiedChain& chain, const VerifyOptions& limits) {
  const auto agents = static_cast<std::int64_t>(chain.tokens().size()) + 1;
  if (agents >= chain.max_depth()) {
    return Error{ErrorCode::kDepthExhausted,
                 "the grant's depth is used up: this agent may not delegate further"};
  }
  if (chain.tokens().size() + 1 > limits.max_tokens) {
    return Error{ErrorCode::kDepthExhausted, "the chain would have more tokens than verifiers accept"};
  }
  return {};
}

Result<DelegationRequest> request_of(const Office& office, const api::CreateDelegation& message,
                                     const store::Agent& receiver) {
  DelegationRequest request;
  request.client_id = spiffe_id(*office.policy.current(), receiver.name);
  request.holder = receiver.key.stored.public_key.thumbprint();
  request.audience = message.audience;
  request.authority = message.authority;
  request.lifetime =
      message.lifetime.count() > 0 ? message.lifetime : office.policy->default_delegation_lifetime;
  CHANCERY_ASSIGN(request.jti, random_id());
  return request;
}

// A lifetime that was not asked for is not narrowed when the parent's is shorter than the default.
void forget_default_lifetime(const api::CreateDelegation& message, std::vector<Narrowing>& narrowed) {
  if (message.lifetime.count() > 0) return;
  std::erase_if(narrowed, [](const Narrowing& item) { return item.what == "lifetime_s"; });
}

Result<api::Delegation> delegate(Office& office, const CallContext& context,
                                 const api::CreateDelegation& message, anomaly::Use& use) {
  note_attempt(context, {.agent = std::string(agent_name(*office.policy.current(), message.to)),
                         .ids = {{"parent", leaf_id(message.chain)}},
                         .details = json::Node::object({{"asked", to_json(message.authority)}})});
  CHANCERY_ASSIGN(const AgentChain parent,
                  require_holder(office, context, scope::kDelegationsCreate, message.chain));
  note_agent(use, parent.holder);
  use.scopes = message.authority.scopes;
  use.resources = message.audience;
  CHANCERY_TRY(require_room_for_agent(parent.chain, office.policy->verify));
  CHANCERY_ASSIGN(const store::Agent receiver, find_receiver(office, message.to));
  CHANCERY_TRY(require_serving(receiver, context.now));
  CHANCERY_ASSIGN(const DelegationRequest request, request_of(office, message, receiver));
  CHANCERY_ASSIGN(Attenuation child,
                  attenuate(parent.chain.leaf(), parent.chain.max_depth(), request, context.now));
  forget_default_lifetime(message, child.narrowed);
  if (message.exact && !child.narrowed.empty()) {
    return Error{ErrorCode::kNotNarrower,
                 "the request exceeds the parent and `exact` forbids narrowing it: ask for less"};
  }
  const bool delegable = child.claims.del_depth + 2 < parent.chain.max_depth();
  if (delegable) CHANCERY_TRY(require_bounded_budgets(child.claims.authority));

  CHANCERY_ASSIGN(std::string token,
                  issue_child(office, context, parent, child.claims, &receiver, "token.delegate"));
  std::vector<std::string> chain = message.chain;
  chain.push_back(std::move(token));
  return api::Delegation{std::move(chain), child.claims.authority, std::move(child.narrowed)};
}

}  // namespace

Result<api::Delegation> delegate(Office& office, const CallContext& context,
                                 const api::CreateDelegation& message) {
  return watched(office, context, [&](anomaly::Use& use) { return delegate(office, context, message, use); });
}

}  // namespace chancery::service
