#include <algorithm>

#include "daemon/service/agent_keys.hpp"
#include "daemon/service/anomaly_watch.hpp"
#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/freeze.hpp"
#include "daemon/service/office.hpp"
#include "daemon/service/status_acts.hpp"
#include "sdk/base/name.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::service {
namespace {

Result<api::Agent> describe(const Office& office, const store::Agent& agent) {
  api::Agent out;
  out.name = agent.name;
  out.id = spiffe_id(*office.policy.current(), agent.name);
  out.backend = agent.key.backend;
  out.state = agent_state(agent);
  out.reason = agent.key.reason;
  out.jwk = agent.key.stored.public_key.jwk();
  out.jkt = agent.key.stored.public_key.thumbprint().text();
  CHANCERY_ASSIGN(out.selectors, wire::read_selectors(agent.selectors));
  out.created_at = agent.created_at.time_since_epoch().count();
  if (agent.retired_at) out.retired_at = agent.retired_at->time_since_epoch().count();
  CHANCERY_TRY(describe_freeze(office, agent, out));
  return out;
}

Status require_free_name(Office& office, std::string_view name) {
  const auto existing = office.store.agent_by_name(name);
  if (existing)
    return Error{ErrorCode::kConflict,
                 "an agent of that name is registered: retire it first, or choose another name"};
  return existing.error().code == ErrorCode::kNotFound ? Status{} : Status{existing.error()};
}

}  // namespace

std::string_view agent_state(const store::Agent& agent) noexcept {
  if (agent.retired_at) return "retired";
  const bool overlaps = agent.is_rotating && agent.key.state == store::KeyState::kActive;
  return store::key_state_name(overlaps ? store::KeyState::kRotating : agent.key.state);
}

std::string spiffe_id(const Policy& policy, std::string_view agent_name) {
  return "spiffe://" + policy.trust_domain + "/agent/" + std::string(agent_name);
}

std::string_view agent_name(const Policy& policy, std::string_view name_or_id) {
  const std::string prefix = spiffe_id(policy, "");
  if (name_or_id.starts_with(prefix)) name_or_id.remove_prefix(prefix.size());
  return name_or_id;
}

Result<api::Agent> create_agent(Office& office, const CallContext& context, const api::CreateAgent& message) {
  note_attempt(context, {.agent = message.name});
  CHANCERY_TRY(require_authority(office, context, scope::kAgentsCreate, {{"agent", message.name}}));
  if (!is_name(message.name)) {
    return Error{ErrorCode::kInvalidArgument, "`name` must be an agent name: [a-z0-9][a-z0-9._-]{0,62}"};
  }
  CHANCERY_ASSIGN(const Algorithm algorithm, read_algorithm(message.algorithm, Algorithm::kES256));
  CHANCERY_TRY(require_free_name(office, message.name));
  store::Agent agent;
  CHANCERY_ASSIGN(agent.id, random_id());
  agent.name = message.name;
  agent.selectors = wire::write(message.selectors);
  agent.created_at = context.now;
  const std::string& backend = message.backend.empty() ? office.backends.default_name() : message.backend;
  const auto record = [&](const store::Key& key) -> Status {
    agent.key = key;
    CHANCERY_TRY(office.store.add_agent(agent, audit_entry("agent.create", context, agent_facts(agent))));
    return {};
  };
  CHANCERY_TRY(office.life.make({{store::KeyIntent::Kind::kMake, backend, agent.id, {}, {}, algorithm}},
                                context.now, context.deadline, record));
  office.attestation.note_made(agent.key.stored.public_key.thumbprint());
  return describe(office, agent);
}

// To everybody but the operator, an agent that is not theirs is as one that does not exist: names are not to
// be found out by asking.
Result<api::Agent> show_agent(Office& office, const CallContext& context, std::string_view name) {
  const Error forbidden{ErrorCode::kForbidden, "only the operator and the agent itself may see it"};
  const bool may_see = require_authority(office, context, scope::kAgentsRead, {{"agent", name}}).has_value();
  const auto agent = office.store.agent_by_name(name);
  if (!agent) return agent.error().code == ErrorCode::kNotFound && !may_see ? forbidden : agent.error();
  if (!may_see && !require_agent(office, context, scope::kAgentsRead, *agent)) return forbidden;
  return describe(office, *agent);
}

Result<api::AgentPage> list_agents(Office& office, const CallContext& context, std::size_t limit,
                                   std::string_view after) {
  CHANCERY_TRY(require_authority(office, context, scope::kAgentsRead));
  CHANCERY_ASSIGN(const std::vector<store::Agent> agents,
                  office.store.agents({.limit = limit, .after = std::string(after)}));
  api::AgentPage page;
  for (const store::Agent& agent : agents) {
    CHANCERY_ASSIGN(api::Agent described, describe(office, agent));
    page.agents.push_back(std::move(described));
  }
  if (agents.size() == limit) page.next = agents.back().id;
  return page;
}

Result<api::Retirement> retire_agent(Office& office, const CallContext& context, std::string_view name) {
  CHANCERY_TRY(require_authority(office, context, scope::kAgentsRetire, {{"agent", name}}));
  CHANCERY_ASSIGN(store::Agent agent, office.store.agent_by_name(name));
  CHANCERY_TRY(require_no_ancestor(office, context, {store::StatusTarget::Kind::kAgent, agent.id}));
  CHANCERY_ASSIGN(const std::vector<store::Key> keys, office.store.keys(agent.id));
  CHANCERY_ASSIGN(const api::Ended ended, what_ends(office, keys, context.now));
  CHANCERY_TRY(office.store.retire_agent(agent.id, audit_entry("agent.retire", context, agent_facts(agent))));
  if (office.watch != nullptr) office.watch->forget(agent.id);
  CHANCERY_TRY(office.issuer.publish(context.now));
  for (const store::Key& key : keys) destroy_now_or_later(office, key, context);
  agent.retired_at = context.now;
  CHANCERY_ASSIGN(api::Agent described, describe(office, agent));
  return api::Retirement{std::move(described), ended};
}

}  // namespace chancery::service
