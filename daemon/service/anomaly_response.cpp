// What follows from an anomaly, and who may see them.

#include <algorithm>

#include "daemon/service/anomaly_watch.hpp"
#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/status_acts.hpp"

namespace chancery::service {
namespace {

// By which an act of the daemon's own accord is known from an operator's.
constexpr std::string_view kReason = "anomaly: ";

bool is_for_anomaly(const store::StatusAct& act) {
  return act.kind == store::StatusAct::Kind::kSuspend && act.reason.starts_with(kReason);
}

}  // namespace

Result<AnomalyWatch::Owner> owner_of(const Office& office, const Thumbprint& key) {
  const auto agent = office.store.agent_by_key(key);
  if (!agent && agent.error().code != ErrorCode::kNotFound) return agent.error();
  if (!agent || agent->retired_at) return AnomalyWatch::Owner{};
  return AnomalyWatch::Owner{agent->id, agent->name};
}

Result<std::int64_t> suspend_for(Office& office, const api::Anomaly& anomaly, std::chrono::sys_seconds now) {
  CHANCERY_ASSIGN(store::StatusTarget target, resolve(office, {"agent", anomaly.agent}));
  CHANCERY_ASSIGN(const std::vector<store::StatusAct> standing, office.statuses.book.standing(target));
  const auto known = std::ranges::find_if(standing, is_for_anomaly);
  if (known != standing.end()) return known->id;
  const store::StatusAct act{.kind = store::StatusAct::Kind::kSuspend,
                             .target = std::move(target),
                             .reason = std::string(kReason) + anomaly.kind,
                             .at = now};
  CHANCERY_ASSIGN(const store::StatusAct done,
                  office.statuses.tokens.add(act, audit_entry("token.suspend", now, act_facts(act))));
  return done.id;
}

Result<api::AnomalyList> list_anomalies(Office& office, const CallContext& context, std::size_t limit) {
  CHANCERY_TRY(require_authority(office, context, scope::kAnomaliesRead));
  if (office.watch == nullptr) return api::AnomalyList{};
  return office.watch->recent(limit);
}

}  // namespace chancery::service
