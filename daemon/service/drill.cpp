#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/status_acts.hpp"

namespace chancery::service {
namespace {

using std::chrono::seconds;

constexpr seconds kShortest{1};
constexpr seconds kLongest = std::chrono::hours(1);

std::string holder_of(const Office& office, const std::string& token) {
  const auto issued = office.store.token(token);
  if (!issued || !issued->agent_id) return {};
  const auto agent = office.store.agent_by_id(*issued->agent_id);
  return agent ? agent->name : std::string();
}

}  // namespace

Result<api::Drill> start_drill(Office& office, const CallContext& context, const api::CreateDrill& message) {
  CHANCERY_ASSIGN(const api::StatusTarget named,
                  admit_target(office, context, scope::kRevocationsDrill, message.target));
  CHANCERY_TRY(check_reason(message.reason));
  if (message.window < kShortest || message.window > kLongest) {
    return Error{ErrorCode::kInvalidArgument, "`window_s` must be 1 to 3600 seconds"};
  }
  CHANCERY_ASSIGN(store::StatusTarget target, resolve(office, named));
  CHANCERY_TRY(require_no_ancestor(office, context, target));
  const store::StatusAct act{.kind = store::StatusAct::Kind::kDrill,
                             .target = std::move(target),
                             .reason = office.redactor->text(message.reason),
                             .at = context.now,
                             .until = context.now + message.window};
  CHANCERY_ASSIGN(const store::StatusAct done,
                  office.statuses.tokens.add(act, audit_entry("drill.start", context, act_facts(act))));
  return api::Drill{describe_act(office, done), {}};
}

Result<api::Drill> show_drill(Office& office, const CallContext& context, std::string_view id) {
  CHANCERY_ASSIGN(const store::StatusAct act, require_act(office, context, scope::kRevocationsDrill, id));
  if (act.kind != store::StatusAct::Kind::kDrill) {
    return Error{ErrorCode::kNotFound, "this is no drill: `chancery drill` starts one"};
  }
  CHANCERY_ASSIGN(const std::vector<store::DeniedUse> denied, office.statuses.book.denied(act.id));
  api::Drill out{describe_act(office, act), {}};
  for (const store::DeniedUse& use : denied) {
    out.denials.push_back({use.leaf, holder_of(office, use.leaf), use.count,
                           use.first_at.time_since_epoch().count(), use.last_at.time_since_epoch().count()});
  }
  return out;
}

}  // namespace chancery::service
