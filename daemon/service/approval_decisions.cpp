// What a person decides about a request: who signed it, and what it is about. Whether the person may, the store judges, in the
// transaction that counts it.

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <chancery/approval_decision.hpp>

#include "daemon/service/approvals.hpp"
#include "daemon/service/approvers.hpp"
#include "daemon/service/policy_signature.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::service {
namespace {

using store::ParkedCall;

Error refused(const char* what) { return {ErrorCode::kInvalidArgument, what}; }

// Whatever else somebody writes in its place stands in no log.
bool is_request_id(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// What it is about is what was asked for, and nothing else.
Status require_about(const ParkedCall& call, const ApprovalDecision& decision, std::chrono::sys_seconds now) {
  if (decision.request_sha256 != call.digest)
    return refused(
        "the decision is about another document than the one that waits under this id: look at that, and decide anew");
  if (decision.issued_at > now + kClockLeeway)
    return refused("the decision is of the future: the clock of whoever made it is more than a minute fast");
  if (decision.issued_at + kClockLeeway >= call.asked_at) return {};
  return refused(
      "the decision is older than the request: it was made for something else, or by a slow clock");
}

// What nobody can verify does not count, and is not said to be enforced by a TPM.
Status require_covered(const Office& office, const ParkedCall& call, const std::string& signature,
                       const ApproverSigner& signer) {
  constexpr Error kOtherKey{ErrorCode::kConflict,
                            "the gate of this request has another key now, or none: ask for the grant again"};
  const auto policy = office.policy.current();
  for (const store::GateTerms& terms : call.gates) {
    if (!terms.tpm_enforced) continue;
    const auto gate = std::ranges::find(policy->gates, terms.gate, &Gate::name);
    if (gate == policy->gates.end() || !gate->tpm_enforced) return kOtherKey;
    CHANCERY_ASSIGN(const std::optional<GatedIssuer> issuer, office.gated.find(*gate));
    if (!issuer) return kOtherKey;
    CHANCERY_ASSIGN(const ParkedCall whole, office.approvals.find(call.id));
    CHANCERY_TRY(check_policy_signature(*issuer, gate->name, whole.document, signer.public_key, signature));
  }
  return {};
}

// A TPM takes P-256 signatures over what it computes itself, which no passkey makes.
Status require_for_tpm(const Office& office, const ParkedCall& call, const ApprovalDecision& decision,
                       const std::string& signature, const ApproverSigner& signer) {
  const bool is_enforced = std::ranges::any_of(call.gates, &store::GateTerms::tpm_enforced);
  if (decision.verdict == ApprovalVerdict::kDeny || !is_enforced) {
    if (signature.empty()) return {};
    return refused("no TPM asks for `policy_signature` here: leave it out");
  }
  if (signer.key.kind == "passkey" || signer.public_key.algorithm() != Algorithm::kES256)
    return Error{ErrorCode::kForbidden,
                 "a TPM enforces a gate of this request: approve it by a P-256 key that is no passkey"};
  if (signature.empty())
    return {};  // whether it is missing is judged with the gates for which the decision counts
  if (!base64url_decode_exactly<std::tuple_size_v<Signature>>(signature))
    return refused("`policy_signature` is an ECDSA signature, r and s of 32 octets each, in base64url");
  return require_covered(office, call, signature, signer);
}

AuditFacts facts_of(const ParkedCall& call, const ApprovalDecision& decision, const std::string& jws) {
  AuditFacts facts = approval_facts(call);
  facts.ids.emplace_back("approver", decision.approver);
  facts.ids.emplace_back("approver_key", decision.key.text());
  facts.ids.emplace_back("vote", hex_encode(sha256(as_bytes(jws))));
  facts.details.set("state", std::string(store::approval_state_name(call.state)));
  facts.details.set("enforcement", std::string(enforcement_of(call)));
  if (!decision.reason.empty()) facts.details.set("reason", decision.reason);
  return facts;
}

// Of what ends with the request that was denied.
store::AuditEntry twin_entry(const CallContext& context, const ParkedCall& twin,
                             const ApprovalDecision& decision) {
  AuditFacts facts = approval_facts(twin);
  facts.ids.emplace_back("denied", decision.request);
  const bool was_approved = twin.state == store::ApprovalState::kLapsed;
  return audit_entry(was_approved ? "approval.lapse" : "approval.cancel", context, std::move(facts));
}

Result<store::Counted> count(Office& office, const CallContext& context, const ApprovalDecision& decision,
                             const api::DecideApproval& message) {
  const bool approves = decision.verdict == ApprovalVerdict::kApprove;
  const bool is_kept = office.policy.current()->decided_kept.count() > 0;
  const store::Ballot ballot{
      decision.request, decision.approver,        decision.key, approves, decision.reason,
      message.decision, message.policy_signature, is_kept};
  return office.approvals.decide(ballot, context.now, [&](const ParkedCall& call) {
    if (call.id != decision.request) return twin_entry(context, call, decision);
    return audit_entry(approves ? "approval.approve" : "approval.deny", context,
                       facts_of(call, decision, message.decision));
  });
}

Result<ParkedCall> decide(Office& office, const CallContext& context, std::string_view id,
                          const api::DecideApproval& message) {
  CHANCERY_TRY(office.spending.require_newest());
  CHANCERY_ASSIGN(const ApprovalDecision decision, read_approval_decision(message.decision));
  if (decision.request != id)
    return refused("the decision is about another request: send it for that one's id");
  CHANCERY_ASSIGN(const ParkedCall call, office.approvals.summary(id));
  CHANCERY_ASSIGN(const ApproverSigner signer, require_signer(office, decision.key, decision.approver));
  CHANCERY_TRY(require_about(call, decision, context.now));
  CHANCERY_TRY(require_kind(signer, decision.by_passkey));
  CHANCERY_TRY(
      verify_approval_decision(message.decision, signer.public_key, office.policy.current()->passkeys));
  CHANCERY_TRY(require_for_tpm(office, call, decision, message.policy_signature, signer));
  CHANCERY_ASSIGN(store::Counted counted, count(office, context, decision, message));
  return std::move(counted.call);
}

DecisionOutcome outcome_of(const ParkedCall& call) {
  if (call.state == store::ApprovalState::kPending) return DecisionOutcome::kCounted;
  return call.state == store::ApprovalState::kDenied ? DecisionOutcome::kDenied : DecisionOutcome::kApproved;
}

}  // namespace

Result<api::DecidedApproval> decide_approval(Office& office, const CallContext& context, std::string_view id,
                                             const api::DecideApproval& message) {
  if (is_request_id(id)) note_attempt(context, {.ids = {{"approval", std::string(id)}}});
  const auto decided = decide(office, context, id, message);
  if (!decided) {
    office.tallies->decided(DecisionOutcome::kRefused);
    return decided.error();
  }
  const DecisionOutcome outcome = outcome_of(*decided);
  office.tallies->decided(outcome);
  if (outcome != DecisionOutcome::kCounted) {
    office.tallies->decided_after().add(context.now - decided->asked_at);
    office.approval_waits->tell();
  }
  return api::DecidedApproval{decided->id, std::string(store::approval_state_name(decided->state)),
                              std::string(enforcement_of(*decided))};
}

}  // namespace chancery::service
