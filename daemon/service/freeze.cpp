#include "daemon/service/freeze.hpp"

#include <algorithm>
#include <utility>

#include "attest/evidence/kill_switch.hpp"
#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/freeze_desk.hpp"
#include "daemon/service/status_acts.hpp"

namespace chancery::service {
namespace {

std::string enforcement_name(bool by_device) { return by_device ? api::kByTpm : api::kBySoftware; }

bool serves(const store::Key& key) {
  return key.state == store::KeyState::kActive || key.state == store::KeyState::kRotating;
}

// The newest, and those that it follows and that are not at their end.
Result<std::vector<store::Key>> present_keys(const Office& office, const store::Agent& agent) {
  if (!agent.is_rotating) return std::vector<store::Key>{agent.key};
  return office.store.keys_in_use(agent.id);
}

// Of an agent that has a key of before its kill switch, too, the daemon refuses for that one.
bool are_by_device(const Office& office, const store::Agent& agent, const std::vector<store::Key>& keys) {
  return std::ranges::all_of(keys, [&](const store::Key& key) {
    return (agent.is_rotating && !serves(key)) || office.freezes->is_switched(key);
  });
}

Result<bool> is_by_device(const Office& office, const store::Agent& agent) {
  CHANCERY_ASSIGN(const std::vector<store::Key> keys, present_keys(office, agent));
  return are_by_device(office, agent, keys);
}

api::KeySwitch describe_switch(const Office& office, const store::Key& key) {
  api::KeySwitch out;
  out.jkt = key.stored.public_key.thumbprint().text();
  out.backend = key.backend;
  out.state = store::key_state_name(key.state);
  if (const auto slot = office.freezes->hangs_on(key)) {
    out.bank = std::int64_t{*slot / attest::kSlotsOfBank};
    out.bit = std::int64_t{*slot % attest::kSlotsOfBank};
  }
  return out;
}

// One that is retired meanwhile is left out.
std::vector<std::string> names_of(const Office& office, const std::vector<std::string>& ids) {
  std::vector<std::string> names;
  for (const std::string& id : ids) {
    const auto agent = office.store.agent_by_id(id);
    if (agent && !agent->retired_at) names.push_back(agent->name);
  }
  std::ranges::sort(names);
  return names;
}

Result<api::FreezeState> describe_state(const Office& office, const CallContext& context) {
  api::FreezeState out;
  if (const auto freeze = office.freezes->freeze_of({})) {
    out.is_frozen = true;
    out.since = freeze->since.time_since_epoch().count();
    out.reason = freeze->reason;
  }
  CHANCERY_ASSIGN(const FreezeDesk::KeyCounts counts, office.freezes->count_keys());
  out.switched_keys = counts.switched;
  out.other_keys = counts.others;
  out.enforcement = enforcement_name(counts.are_all_switched());
  out.agents = names_of(office, office.freezes->frozen_agents());
  FreezeDesk::Held held = office.freezes->look(context.deadline);
  out.is_armed = held.is_armed;
  out.banks = std::move(held.banks);
  return out;
}

/// \param agent  empty: all
AuditFacts facts_about(std::string_view agent) {
  AuditFacts facts;
  if (!agent.empty()) facts.agent = agent;
  return facts;
}

// The freeze counts before its devices know of it, and the log has it by then: what they are to do is no more than planned.
AuditFacts plan_of(std::string_view agent, bool by_device, const std::string& reason) {
  AuditFacts facts = facts_about(agent);
  facts.details.set("planned", enforcement_name(by_device));
  if (!reason.empty()) facts.details.set("reason", reason);
  return facts;
}

Status note_told(const Office& office, const CallContext& context, std::string_view agent, bool by_device,
                 bool are_told) {
  if (!office.freezes->has_switches()) return {};
  AuditFacts facts = facts_about(agent);
  facts.details.set("told", are_told);
  facts.details.set("enforcement", enforcement_name(by_device && are_told));
  CHANCERY_TRY(office.store.append_audit(audit_entry("freeze.told", context, std::move(facts))));
  return {};
}

AuditFacts end_of(std::string_view agent, bool by_device) {
  AuditFacts facts = facts_about(agent);
  facts.details.set("enforcement", enforcement_name(by_device));
  return facts;
}

/// Records each bank that a device has written: what comes after it may fail.
FreezeDesk::Written recorder(const Office& office, const CallContext& context, const char* action,
                             std::string agent) {
  return [&office, &context, action, agent = std::move(agent)](const api::SwitchSetting& setting) -> Status {
    AuditFacts facts = backend_facts(setting.backend);
    if (!agent.empty()) facts.agent = agent;
    facts.details.set("index", std::int64_t{setting.index});
    CHANCERY_TRY(office.store.append_audit(audit_entry(action, context, std::move(facts))));
    return {};
  };
}

Status require_frozen(const Office& office, std::string_view agent_id) {
  CHANCERY_TRY(office.spending.require_newest());
  const auto freeze = office.freezes->freeze_of(agent_id);
  if (!freeze || freeze->agent_id != agent_id)
    return Error{ErrorCode::kConflict,
                 "it is not frozen by itself: `chancery freeze show` shows what is frozen"};
  return {};
}

}  // namespace

Result<api::AgentFreeze> freeze_agent(Office& office, const CallContext& context, std::string_view name,
                                      const api::FreezeReason& message) {
  note_attempt(context, {.agent = std::string(name)});
  CHANCERY_TRY(require_authority(office, context, scope::kAgentsFreeze, {{"agent", name}}));
  CHANCERY_TRY(check_reason(message.reason));
  CHANCERY_ASSIGN(const store::Agent agent, office.store.agent_by_name(name));
  CHANCERY_ASSIGN(const bool by_device, is_by_device(office, agent));
  const std::string reason = office.redactor->text(message.reason);
  CHANCERY_ASSIGN(
      const bool are_told,
      office.freezes->freeze({agent.id, context.now, reason},
                             audit_entry("agent.freeze", context, plan_of(agent.name, by_device, reason)),
                             context.deadline));
  CHANCERY_TRY(note_told(office, context, agent.name, by_device, are_told));
  return api::AgentFreeze{agent.name, true, enforcement_name(by_device && are_told), {}, {}};
}

Result<api::AgentFreeze> unfreeze_agent(Office& office, const CallContext& context, std::string_view name,
                                        const api::SignedSettings& message) {
  note_attempt(context, {.agent = std::string(name)});
  CHANCERY_TRY(require_authority(office, context, scope::kAgentsUnfreeze, {{"agent", name}}));
  CHANCERY_ASSIGN(const store::Agent agent, office.store.agent_by_name(name));
  CHANCERY_TRY(require_frozen(office, agent.id));
  CHANCERY_ASSIGN(const bool by_device, is_by_device(office, agent));
  api::AgentFreeze out{agent.name, true, enforcement_name(by_device), {}, {}};
  const FreezeDesk::Lift lift{agent.id, message.settings,
                              audit_entry("agent.unfreeze", context, end_of(agent.name, by_device)),
                              recorder(office, context, "freeze.clear", agent.name)};
  CHANCERY_ASSIGN(out.to_sign, office.freezes->lift(lift, context.deadline));
  out.is_frozen = !out.to_sign.empty();
  // So that whoever signs sees what the write changes, without another right.
  if (out.is_frozen) out.banks = office.freezes->look(context.deadline).banks;
  return out;
}

Result<api::FreezeState> show_freeze(Office& office, const CallContext& context) {
  CHANCERY_TRY(require_authority(office, context, scope::kFreezeRead));
  return describe_state(office, context);
}

Result<api::FreezeState> freeze_all(Office& office, const CallContext& context,
                                    const api::FreezeReason& message) {
  CHANCERY_TRY(require_authority(office, context, scope::kFreezeAll));
  CHANCERY_TRY(check_reason(message.reason));
  CHANCERY_ASSIGN(const FreezeDesk::KeyCounts counts, office.freezes->count_keys());
  const std::string reason = office.redactor->text(message.reason);
  const bool by_device = counts.are_all_switched();
  CHANCERY_ASSIGN(const bool are_told,
                  office.freezes->freeze({{}, context.now, reason},
                                         audit_entry("freeze.all", context, plan_of({}, by_device, reason)),
                                         context.deadline));
  CHANCERY_TRY(note_told(office, context, {}, by_device, are_told));
  CHANCERY_ASSIGN(api::FreezeState out, describe_state(office, context));
  if (!are_told) out.enforcement = api::kBySoftware;
  return out;
}

Result<api::FreezeState> lift_freeze(Office& office, const CallContext& context,
                                     const api::SignedSettings& message) {
  CHANCERY_TRY(require_authority(office, context, scope::kFreezeLift));
  CHANCERY_TRY(require_frozen(office, {}));
  CHANCERY_ASSIGN(const FreezeDesk::KeyCounts counts, office.freezes->count_keys());
  const FreezeDesk::Lift lift{{},
                              message.settings,
                              audit_entry("freeze.lift", context, end_of({}, counts.are_all_switched())),
                              recorder(office, context, "freeze.clear", {})};
  CHANCERY_ASSIGN(std::vector<api::SwitchSetting> to_sign, office.freezes->lift(lift, context.deadline));
  CHANCERY_ASSIGN(api::FreezeState out, describe_state(office, context));
  out.to_sign = std::move(to_sign);
  return out;
}

// Each bank that was armed is an entry of its own: what is on its way is as good as done.
Result<api::FreezeState> arm_switches(Office& office, const CallContext& context,
                                      const api::SignedSettings& message) {
  CHANCERY_TRY(require_authority(office, context, scope::kFreezeArm));
  CHANCERY_TRY(office.spending.require_newest());
  if (!office.freezes->has_switches())
    return Error{ErrorCode::kConflict,
                 "no backend has a kill switch: set [freeze] operator_key, and use a TPM"};
  CHANCERY_TRY(
      office.freezes->arm(message.settings, recorder(office, context, "freeze.arm", {}), context.deadline));
  CHANCERY_ASSIGN(std::vector<api::SwitchSetting> to_sign, office.freezes->ask_to_arm(context.deadline));
  CHANCERY_ASSIGN(api::FreezeState out, describe_state(office, context));
  out.to_sign = std::move(to_sign);
  return out;
}

// Keys of before that were followed by others are looked up too: what they have delegated counts until it ends.
Result<std::optional<FrozenHop>> frozen_in(const Office& office, const VerifiedChain& chain) {
  if (office.freezes == nullptr || !office.freezes->is_anything_frozen()) return std::optional<FrozenHop>();
  int hop = -1;
  for (const auto& token : chain.tokens()) {
    ++hop;
    const auto holder = office.store.agent_by_key(token->claims().holder);
    if (!holder && holder.error().code == ErrorCode::kNotFound) continue;  // a session's, or another daemon's
    if (!holder) return holder.error();
    if (const auto freeze = office.freezes->freeze_of(holder->id))
      return std::optional(FrozenHop{hop, holder->name, freeze->agent_id.empty()});
  }
  return std::optional<FrozenHop>();
}

Status describe_freeze(const Office& office, const store::Agent& agent, api::Agent& out) {
  if (office.freezes == nullptr || agent.retired_at) return {};
  CHANCERY_ASSIGN(const std::vector<store::Key> keys, present_keys(office, agent));
  out.freeze_enforcement = enforcement_name(are_by_device(office, agent, keys));
  for (const store::Key& key : keys) {
    if (serves(key)) out.kill_switch.push_back(describe_switch(office, key));
  }
  const auto freeze = office.freezes->freeze_of(agent.id);
  if (!freeze) return {};
  out.frozen_since = freeze->since.time_since_epoch().count();
  out.frozen_reason = freeze->reason;
  return {};
}

}  // namespace chancery::service
