#include "daemon/service/freeze.hpp"

#include <algorithm>
#include <utility>

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

// Of an agent that has a key of before its kill switch, too, the daemon refuses for that one.
Result<bool> is_by_device(const Office& office, const store::Agent& agent) {
  const FreezeDesk& desk = *office.freezes;
  if (!agent.is_rotating) return desk.is_switched(agent.key);
  CHANCERY_ASSIGN(const std::vector<store::Key> keys, office.store.keys_in_use(agent.id));
  return std::ranges::all_of(keys,
                             [&](const store::Key& key) { return !serves(key) || desk.is_switched(key); });
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
  out.is_armed = office.freezes->is_armed(context.deadline);
  return out;
}

AuditFacts freeze_facts(std::string_view reason, std::string_view enforcement) {
  AuditFacts facts;
  facts.details.set("enforcement", enforcement);
  if (!reason.empty()) facts.details.set("reason", reason);
  return facts;
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
  AuditFacts facts = freeze_facts(reason, enforcement_name(by_device));
  facts.agent = agent.name;
  CHANCERY_ASSIGN(
      const bool are_told,
      office.freezes->freeze({agent.id, context.now, reason},
                             audit_entry("agent.freeze", context, std::move(facts)), context.deadline));
  return api::AgentFreeze{agent.name, true, enforcement_name(by_device && are_told), {}};
}

Result<api::AgentFreeze> unfreeze_agent(Office& office, const CallContext& context, std::string_view name,
                                        const api::SignedSettings& message) {
  note_attempt(context, {.agent = std::string(name)});
  CHANCERY_TRY(require_authority(office, context, scope::kAgentsUnfreeze, {{"agent", name}}));
  CHANCERY_ASSIGN(const store::Agent agent, office.store.agent_by_name(name));
  CHANCERY_TRY(require_frozen(office, agent.id));
  CHANCERY_ASSIGN(const bool by_device, is_by_device(office, agent));
  api::AgentFreeze out{agent.name, true, enforcement_name(by_device), {}};
  AuditFacts facts = freeze_facts({}, out.enforcement);
  facts.agent = agent.name;
  const FreezeDesk::Lift lift{agent.id, message.settings,
                              audit_entry("agent.unfreeze", context, std::move(facts))};
  CHANCERY_ASSIGN(out.to_sign, office.freezes->lift(lift, context.deadline));
  out.is_frozen = !out.to_sign.empty();
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
                  office.freezes->freeze(
                      {{}, context.now, reason},
                      audit_entry("freeze.all", context, freeze_facts(reason, enforcement_name(by_device))),
                      context.deadline));
  CHANCERY_ASSIGN(api::FreezeState out, describe_state(office, context));
  if (!are_told) out.enforcement = api::kBySoftware;
  return out;
}

Result<api::FreezeState> lift_freeze(Office& office, const CallContext& context,
                                     const api::SignedSettings& message) {
  CHANCERY_TRY(require_authority(office, context, scope::kFreezeLift));
  CHANCERY_TRY(require_frozen(office, {}));
  CHANCERY_ASSIGN(const FreezeDesk::KeyCounts counts, office.freezes->count_keys());
  const FreezeDesk::Lift lift{
      {},
      message.settings,
      audit_entry("freeze.lift", context, freeze_facts({}, enforcement_name(counts.are_all_switched())))};
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
  CHANCERY_TRY(office.freezes->arm(message.settings, context.deadline));
  for (const api::SignedSetting& each : message.settings) {
    AuditFacts facts = backend_facts(each.setting.backend);
    facts.details.set("index", std::int64_t{each.setting.index});
    CHANCERY_TRY(office.store.append_audit(audit_entry("freeze.arm", context, std::move(facts))));
  }
  CHANCERY_ASSIGN(std::vector<api::SwitchSetting> to_sign, office.freezes->ask_to_arm(context.deadline));
  CHANCERY_ASSIGN(api::FreezeState out, describe_state(office, context));
  out.to_sign = std::move(to_sign);
  return out;
}

Status describe_freeze(const Office& office, const store::Agent& agent, api::Agent& out) {
  if (office.freezes == nullptr || agent.retired_at) return {};
  CHANCERY_ASSIGN(const bool by_device, is_by_device(office, agent));
  out.freeze_enforcement = enforcement_name(by_device);
  const auto freeze = office.freezes->freeze_of(agent.id);
  if (!freeze) return {};
  out.frozen_since = freeze->since.time_since_epoch().count();
  out.frozen_reason = freeze->reason;
  return {};
}

}  // namespace chancery::service
