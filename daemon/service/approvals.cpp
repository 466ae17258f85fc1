#include "daemon/service/approvals.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "daemon/service/authority.hpp"
#include "daemon/service/console_desk.hpp"
#include "daemon/service/request_outline.hpp"
#include "daemon/store/gate_terms.hpp"

namespace chancery::service {
namespace {

using store::ParkedCall;

// How often what can matter no more is forgotten.
constexpr std::chrono::minutes kBetweenPrunings{10};

std::int64_t seconds_of(std::chrono::sys_seconds at) { return at.time_since_epoch().count(); }

api::ApprovalGate describe(const store::GateTerms& gate, const std::vector<store::Vote>& votes) {
  return {gate.gate, gate.quorum, store::approvals_for(gate, votes), gate.separation,
          std::string(gate.tpm_enforced ? api::kTpmEnforced : api::kSoftwareEnforced)};
}

// What a TPM checks is the signature for it, and nothing else of a decision.
api::ApprovalVote describe(const store::Vote& vote) {
  api::ApprovalVote out;
  out.approver = vote.principal;
  out.key = vote.key.text();
  out.verdict = vote.approves ? "approve" : "deny";
  out.at = seconds_of(vote.at);
  out.enforcement = vote.policy_signature.empty() ? api::kSoftwareEnforced : api::kTpmEnforced;
  out.reason = vote.reason;
  out.decision = vote.jws;
  out.gates = vote.gates;
  if (vote.voided_at) out.voided_at = seconds_of(*vote.voided_at);
  return out;
}

api::Approval describe(const ParkedCall& call, const std::vector<store::Vote>& votes) {
  api::Approval out;
  out.id = call.id;
  out.kind = store::approval_kind_name(call.kind);
  out.state = store::approval_state_name(call.state);
  out.tool = call.tool;
  out.principal = call.principal;
  out.key = call.key.text();
  out.sha256 = call.digest;
  out.enforcement = enforcement_of(call);
  for (const store::GateTerms& gate : call.gates) out.gates.push_back(describe(gate, votes));
  out.asked_at = seconds_of(call.asked_at);
  out.expires_at = seconds_of(call.expires_at);
  if (call.approved_at) out.approved_at = seconds_of(*call.approved_at);
  if (call.approved_until) out.approved_until = seconds_of(*call.approved_until);
  if (call.ended_at) out.ended_at = seconds_of(*call.ended_at);
  out.agent = call.agent;
  out.risk = call.risk;
  out.amounts = amounts_of(call);
  return out;
}

Result<std::vector<store::Vote>> votes_about(Office& office, const ParkedCall& call) {
  if (call.gates.empty()) return std::vector<store::Vote>();
  return office.approvals.votes(call.id);
}

Result<api::Approval> describe_whole(Office& office, const ParkedCall& call) {
  CHANCERY_ASSIGN(const std::vector<store::Vote> votes, votes_about(office, call));
  api::Approval out = describe(call, votes);
  out.document = call.document;
  for (const store::Vote& vote : votes) out.decisions.push_back(describe(vote));
  return out;
}

// So that there is time to answer before the edge gives the request up.
constexpr std::chrono::seconds kForTheAnswer{1};

// Until it is pending no more. What cannot be read now, whoever asks is told afterwards.
void await_decision(Office& office, const CallContext& context, std::string_view id,
                    std::chrono::seconds wait) {
  const auto place = office.approval_waits->enter();
  if (!place) return;
  const auto until = std::min(std::chrono::steady_clock::now() + std::min(wait, kLongestWait),
                              context.deadline - kForTheAnswer);
  for (;;) {
    const std::uint64_t seen = office.approval_waits->changes();
    const auto call = office.approvals.summary(id);
    if (!call || call->state != store::ApprovalState::kPending) return;
    if (!office.approval_waits->wait(seen, until)) return;
  }
}

// Whoever asks is not told what somebody decided about before: it may have been another's request with the same key.
Result<std::optional<api::PreviousRequest>> previous_of(Office& office, const ParkedCall& call) {
  std::optional<api::PreviousRequest> none;
  if (!store::is_open(call.state)) return none;
  CHANCERY_ASSIGN(const auto found, office.approvals.last_decided_like(call));
  if (!found) return none;
  return std::optional(api::PreviousRequest{found->id, found->is_approved ? "approved" : "denied",
                                            seconds_of(found->decided_at), found->digest, found->document});
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

// Of all but those that wait: what has become of requests.
constexpr std::string_view kSettled = "settled";

Result<store::ApprovalQuery> read_query(const api::ApprovalQuery& query) {
  store::ApprovalQuery out;
  out.limit = query.limit;
  out.after = query.after;
  out.is_newest_first = query.newest_first;
  out.is_settled = query.state == kSettled;
  if (query.state.empty() || out.is_settled) return out;
  out.state = store::approval_state_named(query.state);
  if (!out.state)
    return Error{ErrorCode::kInvalidArgument,
                 "`state` is pending, approved, denied, cancelled, expired, used or lapsed; or settled, of "
                 "all that are not pending"};
  return out;
}

}  // namespace

Result<api::ApprovalPage> list_approvals(Office& office, const CallContext& context,
                                         const api::ApprovalQuery& query) {
  CHANCERY_TRY(require_authority(office, context, scope::kApprovalsRead));
  CHANCERY_ASSIGN(const store::ApprovalQuery wanted, read_query(query));
  CHANCERY_ASSIGN(const auto calls, office.approvals.list(wanted));
  api::ApprovalPage page;
  for (const ParkedCall& call : calls) {
    // What is damaged of one, or was just forgotten, hides no other: whoever looks at that one is told.
    const auto votes = votes_about(office, call);
    page.approvals.push_back(describe(call, votes ? *votes : std::vector<store::Vote>()));
  }
  if (calls.size() == query.limit) page.next = calls.back().id;
  return page;
}

Result<api::Approval> show_approval(Office& office, const CallContext& context, std::string_view id,
                                    std::chrono::seconds wait) {
  CHANCERY_TRY(require_own(office, context, scope::kApprovalsRead, id));
  if (wait.count() > 0) await_decision(office, context, id, wait);
  CHANCERY_ASSIGN(const ParkedCall call, office.approvals.find(id));
  CHANCERY_ASSIGN(api::Approval out, describe_whole(office, call));
  if (!require_authority(office, context, scope::kApprovalsRead)) return out;
  CHANCERY_ASSIGN(out.previous, previous_of(office, call));
  return out;
}

Result<api::Approval> cancel_approval(Office& office, const CallContext& context, std::string_view id) {
  note_attempt(context, {.ids = {{"approval", std::string(id)}}});
  CHANCERY_ASSIGN(const ParkedCall call, require_own(office, context, scope::kApprovalsCancel, id));
  CHANCERY_TRY(office.approvals.cancel(id, context.now,
                                       audit_entry("approval.cancel", context, approval_facts(call))));
  office.approval_waits->tell();
  CHANCERY_ASSIGN(const ParkedCall ended, office.approvals.summary(id));
  return describe_whole(office, ended);
}

Result<std::uint64_t> expire_approval(Office& office, const ParkedCall& call, std::chrono::sys_seconds now) {
  auto ended =
      office.approvals.expire(call.id, now, audit_entry("approval.expire", now, approval_facts(call)));
  if (ended) office.approval_waits->tell();
  return ended;
}

Result<std::uint64_t> lapse_approval(Office& office, const ParkedCall& call, std::chrono::sys_seconds now) {
  return office.approvals.lapse(call.id, now, audit_entry("approval.lapse", now, approval_facts(call)));
}

AuditFacts approval_facts(const ParkedCall& call) {
  // Its row could not be read.
  if (call.digest.empty())
    return {.ids = {{"approval", call.id}}, .details = json::Node::object({{"damaged", true}})};
  return {.principal = call.principal,
          .ids = {{"approval", call.id},
                  {"token", call.token},
                  {"key", call.key.text()},
                  {"document", call.digest}},
          .details = json::Node::object(
              {{"tool", call.tool}, {"kind", std::string(store::approval_kind_name(call.kind))}})};
}

std::string_view enforcement_of(const ParkedCall& call) noexcept {
  return store::is_tpm_enforced(call) ? api::kTpmEnforced : api::kSoftwareEnforced;
}

Result<std::optional<ParkedCall>> open_request(Office& office, std::string_view subject,
                                               std::chrono::sys_seconds now) {
  CHANCERY_ASSIGN(auto open, office.approvals.open_for(subject));
  if (!open) return open;
  const bool is_approved = open->state == store::ApprovalState::kApproved;
  const std::chrono::sys_seconds end = is_approved ? open->approved_until.value_or(now) : open->expires_at;
  if (now < end) return open;
  const auto ended = is_approved ? lapse_approval(office, *open, now) : expire_approval(office, *open, now);
  if (!ended && ended.error().code != ErrorCode::kConflict) return ended.error();
  return std::optional<ParkedCall>();
}

void ApprovalKeeper::tick(std::chrono::sys_seconds now) {
  end_overdue(now);
  forget(now);
}

void ApprovalKeeper::end_overdue(std::chrono::sys_seconds now) {
  const auto overdue = office_.approvals.overdue(now);
  if (!overdue) return complain_("calls that wait too long could not be looked up", overdue.error());
  for (const ParkedCall& call : *overdue) {
    const bool is_approved = call.state == store::ApprovalState::kApproved;
    const auto ended = is_approved ? lapse_approval(office_, call, now) : expire_approval(office_, call, now);
    // A conflict: somebody else ended it meanwhile.
    if (!ended && ended.error().code != ErrorCode::kConflict)
      complain_("that a call waits no longer could not be recorded", ended.error());
  }
}

// Whatever has come of the other.
void ApprovalKeeper::forget(std::chrono::sys_seconds now) {
  if (now < next_pruning_ && next_pruning_ <= now + kBetweenPrunings) return;
  next_pruning_ = now + kBetweenPrunings;
  const auto policy = office_.policy.current();
  if (const Status pruned = office_.approvals.prune(now - policy->requests_kept); !pruned)
    complain_("former calls that waited could not be forgotten", pruned.error());
  const std::chrono::seconds kept = policy->decided_kept;
  const auto before = kept.count() == 0 ? std::chrono::sys_seconds::max() : now - kept;
  if (const Status forgotten = office_.approvals.forget_decided(before); !forgotten)
    complain_("documents of what was decided could not be forgotten", forgotten.error());
}

// What stands behind the number sign reaches no server.
std::string approval_page(const Office& office, std::string_view id) {
  if (office.console == nullptr) return {};
  return office.console->options().party.origins.front() + "/ui#/approvals/" + std::string(id);
}

}  // namespace chancery::service
