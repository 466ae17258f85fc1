#include "daemon/service/status_keeper.hpp"

#include "daemon/service/audit_entry.hpp"
#include "daemon/service/status_acts.hpp"

namespace chancery::service {
namespace {

constexpr std::chrono::seconds kBetweenClearings = std::chrono::hours(1);

}  // namespace

void StatusKeeper::tick(std::chrono::sys_seconds now) {
  record_denied();  // before their drills end
  end_drills(now);
  forget_expired(now);
}

void StatusKeeper::record_denied() {
  const std::vector<store::DeniedUse> denied = statuses_.activity.take_denied();
  if (denied.empty()) return;
  const Status added = statuses_.book.add_denied(denied);
  if (!added) complain_("what a drill denied could not be recorded", added.error());
}

void StatusKeeper::end_drills(std::chrono::sys_seconds now) {
  const auto drills = statuses_.book.overdue_drills(now);
  if (!drills) return complain_("drills whose end has come could not be looked up", drills.error());
  for (const store::StatusAct& drill : *drills) {
    const auto ended = statuses_.tokens.lift(drill.id, audit_entry("drill.end", now, act_facts(drill)));
    // A conflict: somebody lifted it meanwhile.
    if (ended || ended.error().code == ErrorCode::kConflict) continue;
    complain_("a drill could not be ended", ended.error());
  }
}

void StatusKeeper::forget_expired(std::chrono::sys_seconds now) {
  if (now < next_clearing_ && next_clearing_ <= now + kBetweenClearings) return;
  next_clearing_ = now + kBetweenClearings;
  const Status forgotten = statuses_.book.forget_expired(now);
  if (!forgotten) complain_("the statuses of expired tokens could not be forgotten", forgotten.error());
  const Status pruned = joins_.prune(now);
  if (!pruned) complain_("expired join tokens could not be forgotten", pruned.error());
  const Status published = statuses_.tokens.publish(now);
  if (!published) complain_("the statuses of tokens could not be published", published.error());
}

}  // namespace chancery::service
