#include "daemon/service/approvals.hpp"

#include <optional>

#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"

namespace chancery::service {
namespace {

using store::ParkedCall;

// How often what can matter no more is forgotten.
constexpr std::chrono::minutes kBetweenPrunings{10};

std::int64_t seconds_of(std::chrono::sys_seconds at) { return at.time_since_epoch().count(); }

api::Approval describe(const ParkedCall& call) {
  api::Approval out;
  out.id = call.id;
  out.state = store::approval_state_name(call.state);
  out.tool = call.tool;
  out.principal = call.principal;
  out.key = call.key.text();
  out.sha256 = call.digest;
  out.asked_at = seconds_of(call.asked_at);
  out.expires_at = seconds_of(call.expires_at);
  if (call.ended_at) out.ended_at = seconds_of(*call.ended_at);
  return out;
}

api::Approval describe_with_document(const ParkedCall& call) {
  api::Approval out = describe(call);
  out.document = call.document;
  return out;
}

AuditFacts facts_of(const ParkedCall& call) {
  return {.principal = call.principal,
          .ids = {{"approval", call.id},
                  {"token", call.token},
                  {"key", call.key.text()},
                  {"document", call.digest}},
          .details = json::Node::object({{"tool", call.tool}})};
}

/// One that the caller may know of, without its document.
Result<ParkedCall> require_own(Office& office, const CallContext& context, std::string_view scope,
                               std::string_view id) {
  auto call = office.approvals.summary(id);
  const Status is_operators = require_authority(office, context, scope);
  if (is_operators) return call;
  if (!call) return is_operators.error();
  const auto agent = office.store.agent_by_key(call->key);
  if (!agent || !require_agent(office, context, scope, *agent)) return is_operators.error();
  return call;
}

Result<std::optional<store::ApprovalState>> state_of(const std::string& name) {
  if (name.empty()) return std::optional<store::ApprovalState>();
  const auto state = store::approval_state_named(name);
  if (!state) return Error{ErrorCode::kInvalidArgument, "`state` is pending, cancelled or expired"};
  return state;
}

}  // namespace

Result<api::ApprovalPage> list_approvals(Office& office, const CallContext& context,
                                         const api::ApprovalQuery& query) {
  CHANCERY_TRY(require_authority(office, context, scope::kApprovalsRead));
  CHANCERY_ASSIGN(const auto state, state_of(query.state));
  CHANCERY_ASSIGN(const auto calls, office.approvals.list({query.limit, query.after, state}));
  api::ApprovalPage page;
  for (const ParkedCall& call : calls) page.approvals.push_back(describe(call));
  if (calls.size() == query.limit) page.next = calls.back().id;
  return page;
}

Result<api::Approval> show_approval(Office& office, const CallContext& context, std::string_view id) {
  CHANCERY_TRY(require_own(office, context, scope::kApprovalsRead, id));
  CHANCERY_ASSIGN(const ParkedCall call, office.approvals.find(id));
  return describe_with_document(call);
}

Result<api::Approval> cancel_approval(Office& office, const CallContext& context, std::string_view id) {
  note_attempt(context, {.ids = {{"approval", std::string(id)}}});
  CHANCERY_ASSIGN(const ParkedCall call, require_own(office, context, scope::kApprovalsCancel, id));
  CHANCERY_TRY(
      office.approvals.cancel(id, context.now, audit_entry("approval.cancel", context, facts_of(call))));
  CHANCERY_ASSIGN(const ParkedCall ended, office.approvals.summary(id));
  return describe(ended);
}

Result<std::uint64_t> expire_approval(Office& office, const ParkedCall& call, std::chrono::sys_seconds now) {
  return office.approvals.expire(call.id, now, audit_entry("approval.expire", now, facts_of(call)));
}

Result<std::uint64_t> lapse_approval(Office& office, const ParkedCall& call, std::chrono::sys_seconds now) {
  return office.approvals.lapse(call.id, now, audit_entry("approval.lapse", now, facts_of(call)));
}

void ApprovalKeeper::tick(std::chrono::sys_seconds now) {
  end_overdue(now);
  forget(now);
}

void ApprovalKeeper::end_overdue(std::chrono::sys_seconds now) {
  const auto overdue = office_.approvals.overdue(now);
  if (!overdue) return complain_("calls that wait too long could not be looked up", overdue.error());
  for (const ParkedCall& call : *overdue) {
    const auto expired = expire_approval(office_, call, now);
    // A conflict: somebody else ended it meanwhile.
    if (!expired && expired.error().code != ErrorCode::kConflict)
      complain_("that a call waits no longer could not be recorded", expired.error());
  }
}

// Whatever has come of the other.
void ApprovalKeeper::forget(std::chrono::sys_seconds now) {
  if (now < next_pruning_ && next_pruning_ <= now + kBetweenPrunings) return;
  next_pruning_ = now + kBetweenPrunings;
  if (const Status pruned = office_.approvals.prune(now); !pruned)
    complain_("former calls that waited could not be forgotten", pruned.error());
}

}  // namespace chancery::service
