#include "daemon/service/deciding.hpp"

#include <chrono>
#include <iterator>
#include <optional>
#include <utility>

#include "daemon/service/action_budget.hpp"
#include "daemon/service/approval_grounds.hpp"
#include "daemon/service/approvals.hpp"
#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/freeze.hpp"
#include "daemon/service/issuing.hpp"
#include "daemon/service/key_proof.hpp"
#include "daemon/service/office.hpp"
#include "daemon/service/watched.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/wire/custody_fields.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::service {
namespace {

using RecordOutcome = store::Recording::Outcome;
using Tokens = std::vector<std::shared_ptr<const Token>>;

/// What verification and gates say of an action, and what the action would spend.
struct Judgement {
  Verdict verdict;
  Tokens tokens;  ///< as far as they could be read
  ActionBudget budget;
  std::optional<store::ProofUse> proof;  ///< since step 6 has passed: the proof counts as used
  std::optional<FrozenHop> frozen{};     ///< of what is valid
  std::vector<ClosedGate> closed{};      ///< for what is valid, and has nothing frozen in it
  Parking* parking = nullptr;            ///< with which a person is asked, when some are; borrowed
};

/// An approval by which an action passes the gates that are closed for it.
struct Passage {
  store::ParkedCall approved;
  store::AuditEntry audit;
};

Result<ActionRequest> request_of(const api::Authorize& message) {
  ActionRequest request;
  request.ada_required = message.ada_required;
  request.audience = message.audience;
  request.scope = message.scope;
  CHANCERY_ASSIGN(request.parameters, parse_parameters(message.params));
  request.dpop.emplace();
  request.dpop->proof = message.proof;
  request.dpop->htm = message.method;
  request.dpop->htu = message.uri;
  return request;
}

// Budgets are computed from unverified tokens, and used only if they verify.
Tokens read_tokens(const std::vector<std::string>& chain, const VerifyOptions& options) {
  Tokens tokens;
  if (chain.size() > options.max_tokens) return tokens;
  for (const std::string& compact : chain) {
    if (auto known = options.cache == nullptr ? std::nullopt : options.cache->find(compact)) {
      tokens.push_back(std::move(known->token));
    } else if (auto token = Token::parse(compact)) {
      tokens.push_back(std::make_shared<const Token>(*std::move(token)));
    } else {
      return {};
    }
  }
  return tokens;
}

// What was read before is not read again for its id.
std::string id_of_leaf(const Tokens& tokens, const api::Authorize& message) {
  return tokens.empty() ? leaf_id(message.chain) : hex_encode(tokens.back()->digest());
}

Judgement judge(const Office& office, const CallContext& context, const api::Authorize& message,
                ActionRequest request, Tokens tokens) {
  Judgement judgement;
  VerifyOptions options = office.policy->verify;
  judgement.tokens = std::move(tokens);
  if (!judgement.tokens.empty()) judgement.budget = budget_of(judgement.tokens, request, context.now);
  request.totals = judgement.budget.totals;
  // Asked last in step 6. Whether the proof was used is the ledger's to say, once for all concurrent uses.
  request.seen = [&](const Thumbprint& key, std::string_view jti) {
    judgement.proof =
        store::ProofUse{key, sha256(as_bytes(jti)), context.now, expiry_of(*request.dpop, context.now)};
    return false;
  };
  options.request = &request;
  const wire::TermsToJudge custody(message.custody);
  custody.put_into(options);
  const std::vector<std::string_view> chain(message.chain.begin(), message.chain.end());
  judgement.verdict = judge_use(office, chain, context.now, options);
  return judgement;
}

// --- answers

Denial denial_of(const Judgement& judgement) {
  const Denial& denial = judgement.verdict.denial();
  const std::optional<Denial>& fault = judgement.budget.fault;
  // Verification found no total there, and this is why.
  const bool explains =
      fault && denial.step == fault->step && denial.outcome == fault->outcome && denial.hop == fault->hop;
  return explains ? *fault : denial;
}

Denial proof_denial(const Judgement& judgement, const char* reason, const char* remedy) {
  const int leaf = static_cast<int>(judgement.tokens.size()) - 1;
  return {Outcome::kHolderBindingFailed, Step::kHolderBinding, leaf, reason, "a fresh `jti`", {}, remedy};
}

// What is told of permits and denials alike.
void set_findings(api::Decision& decision, const Verdict& verdict) {
  decision.not_performed.assign(verdict.not_performed().begin(), verdict.not_performed().end());
  if (const auto custody = wire::custody_node(verdict)) decision.custody = json::to_jcs(*custody);
}

api::Decision denied(const Judgement& judgement, const Denial& denial) {
  api::Decision decision;
  decision.outcome = outcome_name(denial.outcome);
  decision.step = step_name(denial.step);
  decision.reason = denial.reason;
  set_findings(decision, judgement.verdict);
  // The limits of those above the leaf are not the enforcement point's to see.
  const bool is_leafs = denial.hop >= 0 && denial.hop + 1 == static_cast<int>(judgement.tokens.size());
  if (!is_leafs) return decision;
  decision.hop = denial.hop;
  decision.expected = denial.expected;
  decision.found = denial.found;
  decision.remedy = denial.remedy;
  return decision;
}

api::Decision permitted(const Judgement& judgement, const CallContext& context, const api::Authorize& message,
                        std::string id) {
  const VerifiedChain& chain = judgement.verdict.chain();
  api::Decision decision;
  decision.permitted = true;
  decision.id = std::move(id);
  set_findings(decision, judgement.verdict);
  if (message.reserve.count() > 0) {
    decision.expires_at = (context.now + message.reserve).time_since_epoch().count();
  }
  decision.leaf = api::GrantedLeaf{chain.principal(), chain.leaf().claims().client_id,
                                   json::to_jcs(wire::leaf_node(chain))};
  return decision;
}

// What is a person's to say, and not permitted until then.
api::Decision for_a_person(const Judgement& judgement, std::string_view outcome, const char* reason) {
  api::Decision decision;
  decision.outcome = outcome;
  decision.step = "approval";
  decision.reason = reason;
  set_findings(decision, judgement.verdict);
  return decision;
}

// Everything but a person allows it; what is not permitted is not done.
api::Decision waiting(const Judgement& judgement) {
  api::Decision decision =
      for_a_person(judgement, api::kApprovalRequired, "a person has to approve this first: it waits");
  decision.approval = judgement.parking->answer();
  return decision;
}

// Whoever is refused does not ask on and on: as long as the request would have waited, no means no.
api::Decision denied_by_person(const Judgement& judgement) {
  return for_a_person(
      judgement, api::kApprovalDenied,
      "a person has denied this: it can be asked for again when the denied request would have expired");
}

// Its key signs nothing, and what it signed or handed on before does nothing either: a session's key is in the agent's memory. Which
// agent it is, is not the enforcement point's to know.
api::Decision denied_by_freeze(const Judgement& judgement) {
  api::Decision decision;
  decision.outcome = api::kAgentFrozen;
  decision.step = "freeze";
  decision.reason =
      judgement.frozen->is_with_all
          ? "all agents are frozen: it can be asked for again when `chancery freeze lift` has ended that"
          : "an agent whose key stands in the chain is frozen: it can be asked for again when "
            "`chancery agent unfreeze` has ended that";
  set_findings(decision, judgement.verdict);
  return decision;
}

// Not a decision yet: nothing is recorded, and the proof is good still.
api::Decision terms_required(const Judgement& judgement) {
  return for_a_person(
      judgement, api::kTermsRequired,
      "a person has to approve this call first: ask again with `approval`, and the same proof");
}

bool is_waiting(const api::Decision& decision) {
  return !decision.permitted && decision.outcome == api::kApprovalRequired;
}

// --- records

// Of a session, the key that opened it.
const Thumbprint& key_of_agent(const Tokens& tokens) {
  auto token = tokens.rbegin();
  while ((*token)->claims().is_session && std::next(token) != tokens.rend()) ++token;
  return (*token)->claims().holder;
}

// Whose token it is counts once its holder has shown the key: before, anybody may present anything.
void set_holder(AuditFacts& facts, const Judgement& judgement) {
  const Token& leaf = *judgement.tokens.back();
  const Claims& claims = leaf.claims();
  const std::string token = hex_encode(leaf.digest());
  facts.ids.emplace_back("token", token);
  if (!judgement.proof) return;
  facts.principal = claims.sub;
  if (claims.is_session) facts.session = token;
  // What shows is the key: the name is whatever the last delegator wrote.
  facts.by_key = key_of_agent(judgement.tokens);
  facts.ids.emplace_back("claimed_client_id", claims.client_id);
  facts.ids.emplace_back("key", claims.holder.text());
}

constexpr std::size_t kLongestName = 256;

// Who asks for something that no token could have gets no more of the disk for it.
json::Node name_node(const std::string& name) {
  return name.size() <= kLongestName ? json::Node(name) : json::Node("(longer than 256 octets)");
}

// Parameters are hashed with the id of what was decided; a denial has none, and takes the request's.
AuditFacts facts_of(const Office& office, const CallContext& context, const Judgement& judgement,
                    const api::Authorize& message, const api::Decision& decision, const ToolCall* call) {
  AuditFacts facts{.details = json::Node::object(
                       {{"audience", name_node(message.audience)}, {"scope", name_node(message.scope)}}),
                   .outcome = decision.permitted ? AuditOutcome::kPermit : AuditOutcome::kDeny};
  if (!judgement.tokens.empty()) set_holder(facts, judgement);
  if (call != nullptr) {
    facts.details.set("tool", call->tool);
    facts.ids.emplace_back("permit", call->given.permit.id);
  }
  const std::string& salted_by = decision.permitted ? decision.id : context.request_id;
  facts.details.set("params", office.audit.hash_parameters(salted_by, message.params));
  if (decision.permitted) {
    facts.ids.emplace_back("decision", decision.id);
    facts.details.set("debits", judgement.budget.debits.size());
    if (decision.expires_at) facts.details.set("reserved_until", *decision.expires_at);
    return facts;
  }
  facts.details.set("denial", decision.outcome);
  facts.details.set("step", wire::step_node(decision.step));
  if (!judgement.verdict.valid()) facts.hop = judgement.verdict.denial().hop;
  if (judgement.frozen) {
    facts.hop = judgement.frozen->hop;
    facts.details.set("frozen_agent", judgement.frozen->agent);
  }
  return facts;
}

store::AuditEntry audit_of(const Office& office, const CallContext& context, const Judgement& judgement,
                           const api::Authorize& message, const api::Decision& decision,
                           const ToolCall* call) {
  if (is_waiting(decision)) {
    AuditFacts facts = judgement.parking->request();
    set_holder(facts, judgement);
    return audit_entry("approval.request", context, std::move(facts));
  }
  return audit_entry(call == nullptr ? "action.authorize" : "tool.permit", context,
                     facts_of(office, context, judgement, message, decision, call));
}

void give(ToolCall& call, const Judgement& judgement, const api::Decision& answer,
          store::Decision& decision) {
  store::Permit& permit = call.given.permit;
  permit.decision = answer.id;
  permit.token = hex_encode(judgement.tokens.back()->digest());
  const auto expiry = std::chrono::duration<double>(judgement.tokens.back()->claims().exp);
  permit.leaf_expires_at = std::chrono::sys_seconds(std::chrono::floor<std::chrono::seconds>(expiry));
  permit.key = key_of_agent(judgement.tokens);
  decision.permit = &call.given;
}

// What waits is kept under no key: whoever asks again with a fresh proof asks for the same.
void keep_answer(const api::Authorize& message, const api::Decision& answer, store::Decision& decision) {
  if (message.idempotency_key.empty()) return;
  decision.repeatable = {message.idempotency_key, sha256(as_bytes(wire::write(message)))};
  if (!is_waiting(answer)) decision.answer = wire::write(answer);
}

/// Records decisions about one action.
struct Recorder {
  Office& office;
  const CallContext& context;
  const api::Authorize& message;
  const Judgement& judgement;
  ToolCall* call;  ///< nullptr: it is none

  [[nodiscard]] store::AuditEntry audit_of(const api::Decision& answer) const {
    return service::audit_of(office, context, judgement, message, answer, call);
  }

  /// \param passage  of a permit behind closed gates; else nullptr
  [[nodiscard]] Result<store::Recording> record(const api::Decision& answer,
                                                const Passage* passage = nullptr) const {
    store::Decision decision;
    decision.caller = identity_of(context.caller);
    decision.audience = message.audience;
    decision.at = context.now;
    decision.proof = *judgement.proof;
    if (answer.permitted) {
      decision.id = answer.id;
      decision.debits = judgement.budget.debits;
      if (message.reserve.count() > 0) decision.reserved_until = context.now + message.reserve;
      if (call != nullptr) give(*call, judgement, answer, decision);
    }
    if (call != nullptr) decision.attempt = &call->attempt;
    if (is_waiting(answer)) set_parked(decision);
    keep_answer(message, answer, decision);
    if (passage == nullptr) return office.spending.record(decision, audit_of(answer));
    const store::ApprovalUse use{passage->approved.id, passage->approved.subject, &passage->audit};
    decision.approved = &use;
    for (const ClosedGate& closed : judgement.closed) {
      if (closed.first) decision.let_through.push_back(*closed.first);
    }
    return office.spending.record(decision, audit_of(answer));
  }

 private:
  void set_parked(store::Decision& decision) const {
    const Parking& parking = *judgement.parking;
    (parking.is_repeated() ? decision.repeated : decision.parked) = &parking.call();
    if (!parking.is_repeated()) decision.debits = judgement.budget.debits;
  }
};

// A proof that is refused is in the audit log once, though nothing else of it is kept: whoever presents it again and
// again does not fill the disk.
Result<api::Decision> refuse_proof(const Recorder& recorder, bool is_replayed) {
  const Judgement& judgement = recorder.judgement;
  store::ProofUse use = *judgement.proof;
  // Of a key that has used too many, each is another: the key counts.
  if (!is_replayed) use.jti = {};
  const Denial denial = is_replayed
                            ? proof_denial(judgement, "this proof was used before", "send a fresh DPoP proof")
                            : proof_denial(judgement, "too many proofs of this key are unexpired",
                                           "wait until some have expired, and send fewer requests");
  api::Decision decision = denied(judgement, denial);
  if (recorder.office.refused_proofs->note(use))
    CHANCERY_TRY(recorder.office.store.append_audit(recorder.audit_of(decision)));
  return decision;
}

// Before step 6 nobody knows who asks, and whoever it is may ask as often as it likes: the bound on refusals is on these
// denials too.
Result<api::Decision> deny_unproven(Office& office, const CallContext& context, const api::Authorize& message,
                                    const Judgement& judgement, const ToolCall* call) {
  api::Decision decision = denied(judgement, denial_of(judgement));
  if (office.audit.refusals.admit({}, context.now)) {
    CHANCERY_TRY(office.store.append_audit(audit_of(office, context, judgement, message, decision, call)));
  }
  return decision;
}

// An answer that was given stays, but a permit counts no longer than its chain, and not for what was given back.
Result<api::Decision> repeat(const Office& office, const Judgement& judgement, const std::string& answer) {
  CHANCERY_ASSIGN(api::Decision before, wire::read_decision(answer));
  if (!before.permitted) return before;
  if (!judgement.verdict.valid()) return denied(judgement, denial_of(judgement));
  if (judgement.frozen) return denied_by_freeze(judgement);
  if (!before.expires_at) return before;
  CHANCERY_ASSIGN(const store::Reservation reserved, office.spending.ledger().reservation(before.id));
  if (!reserved.is_released) return before;
  return denied(judgement,
                proof_denial(judgement, "the reservation that this proof was used for was released",
                             "send a fresh DPoP proof, under another `idempotency_key`"));
}

/// How often something is recorded anew, since the request for the same was overdue or has just ended.
constexpr int kMostTries = 5;

/// What was recorded, and what is answered then.
struct Recorded {
  api::Decision answer;
  store::Recording recording;
};

/// Brings an action past gates that are closed for it, or has it wait in front of them.
class Passing {
 public:
  Passing(const Recorder& recorder, std::string id) : recorder_(recorder), id_(std::move(id)) {}

  // What is asked for again is answered as before, as long as it waits: whoever repeats itself asks nobody twice.
  Result<Recorded> run() {
    const Judgement& judgement = recorder_.judgement;
    const Parking::Asker asker{judgement.verdict.chain(), key_of_agent(judgement.tokens), judgement.budget,
                               judgement.closed};
    for (int tried = 0; tried < kMostTries; ++tried) {
      CHANCERY_TRY(judgement.parking->compose(asker));
      const std::string& subject = judgement.parking->call().subject;
      CHANCERY_ASSIGN(const auto open, open_request(recorder_.office, subject, recorder_.context.now));
      const bool is_approved = open && open->state == store::ApprovalState::kApproved;
      // Also of what waits, or was approved: it may have been asked for at the moment at which the same was denied.
      CHANCERY_ASSIGN(const bool is_denied,
                      recorder_.office.gates.was_denied(judgement.parking->call(), recorder_.context.now));
      if (is_denied) return refuse();
      if (open && !is_approved) CHANCERY_TRY(resume(*open));
      CHANCERY_ASSIGN(Recorded recorded, is_approved ? pass(*open) : park());
      if (!has_changed(recorded.recording.outcome)) return recorded;
    }
    return Error{ErrorCode::kOverloaded, "this very thing is asked for too often at once: ask for it again"};
  }

 private:
  // Since it was looked up: somebody asked, decided, cancelled, or used the approval.
  static bool has_changed(RecordOutcome outcome) {
    return outcome == RecordOutcome::kWaitsAlready || outcome == RecordOutcome::kWaitsNoLonger ||
           outcome == RecordOutcome::kApproved || outcome == RecordOutcome::kApprovedNoLonger;
  }

  static Recorded changed() {
    Recorded out;
    out.recording.outcome = RecordOutcome::kApprovedNoLonger;
    return out;
  }

  // Its document is that of the first time. One that has just been decided is found out when this is recorded.
  Status resume(const store::ParkedCall& open) const {
    CHANCERY_ASSIGN(store::ParkedCall whole, recorder_.office.approvals.find(open.id));
    recorder_.judgement.parking->repeat(std::move(whole));
    return {};
  }

  // The row says that it is approved: what counts is what people signed.
  Result<Recorded> pass(const store::ParkedCall& approved) const {
    CHANCERY_ASSIGN(const store::ParkedCall whole, recorder_.office.approvals.find(approved.id));
    if (whole.state != store::ApprovalState::kApproved) return changed();
    CHANCERY_ASSIGN(const bool is_good,
                    has_grounds(recorder_.office, whole, recorder_.judgement.parking->call()));
    if (!is_good) return changed();
    AuditFacts facts = recorder_.judgement.parking->use(approved);
    set_holder(facts, recorder_.judgement);
    facts.ids.emplace_back("decision", id_);
    if (recorder_.call != nullptr) facts.ids.emplace_back("permit", recorder_.call->given.permit.id);
    const Passage passage{approved, audit_entry("approval.use", recorder_.context, std::move(facts))};
    Recorded out{permitted(recorder_.judgement, recorder_.context, recorder_.message, id_), {}};
    CHANCERY_ASSIGN(out.recording, recorder_.record(out.answer, &passage));
    return out;
  }

  Result<Recorded> refuse() const {
    Recorded out{denied_by_person(recorder_.judgement), {}};
    CHANCERY_ASSIGN(out.recording, recorder_.record(out.answer));
    return out;
  }

  // The attempt names what it waits for, which is known only then.
  Result<Recorded> park() const {
    ToolCall* const call = recorder_.call;
    std::optional<store::AuditEntry> attempt;
    if (call != nullptr) {
      attempt = std::move(call->attempt);
      call->attempt = recorder_.judgement.parking->attempt();
    }
    Recorded out{waiting(recorder_.judgement), {}};
    auto recording = recorder_.record(out.answer);
    if (attempt && (!recording || recording->outcome != RecordOutcome::kRecorded))
      call->attempt = *std::move(attempt);
    if (!recording) return recording.error();
    out.recording = *std::move(recording);
    return out;
  }

  const Recorder& recorder_;
  const std::string id_;  // of a decision to permit
};

// By its name: a decision that is answered again is known by nothing else.
Outcome outcome_of(const api::Decision& decision) {
  // What people say of it, or of an agent, is not the chain's doing.
  if (decision.permitted || is_waiting(decision) || decision.outcome == api::kApprovalDenied ||
      decision.outcome == api::kAgentFrozen)
    return Outcome::kValid;
  for (std::size_t i = 0; i < Tallies::kOutcomes; ++i) {
    if (outcome_name(static_cast<Outcome>(i)) == decision.outcome) return static_cast<Outcome>(i);
  }
  return Outcome::kMalformed;
}

// Only a proof says who acts, and says it by the key: whoever may delegate can write any name into a token.
void note_use(const Judgement& judgement, const api::Authorize& message, anomaly::Use& use) {
  use.key = key_of_agent(judgement.tokens);
  use.scopes = {message.scope};
  use.resources = {message.audience};
  use.host = host_of(message.uri);
}

// The gate of the chain's grant counts for all that is done under it.
Result<std::vector<ClosedGate>> closed_for(const Office& office, const CallContext& context,
                                           const Judgement& judgement, const ActionRequest& request,
                                           const ToolCall* call) {
  if (judgement.frozen) return std::vector<ClosedGate>();  // nobody is asked about what is not done anyway
  const auto policy = office.policy.current();
  const VerifiedChain& chain = judgement.verdict.chain();
  CHANCERY_ASSIGN(const std::string grant_gate,
                  office.gates.gate_of(hex_encode(chain.tokens().front()->digest())));
  const std::string principal = chain.principal();
  const GatedAction action{request.scope, call == nullptr ? std::string_view() : std::string_view(call->tool),
                           principal, request.parameters, grant_gate};
  CHANCERY_ASSIGN(std::vector<ClosedGate> closed,
                  closed_gates(policy->gates, action, {context.now, policy->verify.zones},
                               [&](const auto& value) { return office.gates.was_let_through(value); }));
  if (call != nullptr && call->takes_approval) {
    closed.push_back({gate_of_tool(call->tool, policy->tool_approvers, policy->approval_life),
                      "the tool's declaration takes an approval"});
  }
  return closed;
}

/// \param own  where what is put before a person is kept for an action that is no call
Result<Parking*> parking_for(const Office& office, const CallContext& context, const api::Authorize& message,
                             const ToolCall* call, std::optional<Parking>& own) {
  if (call != nullptr) return call->parking;
  CHANCERY_ASSIGN(Matter matter, matter_of_action(*office.policy.current(), context, message));
  return &own.emplace(office, context, message, std::move(matter));
}

api::Decision answer_of(const Recorder& recorder, std::string id) {
  const Judgement& judgement = recorder.judgement;
  if (!judgement.verdict.valid()) return denied(judgement, denial_of(judgement));
  if (judgement.frozen) return denied_by_freeze(judgement);
  return permitted(judgement, recorder.context, recorder.message, std::move(id));
}

Result<Recorded> record_once(const Recorder& recorder, std::string id) {
  Recorded out{answer_of(recorder, std::move(id)), {}};
  CHANCERY_ASSIGN(out.recording, recorder.record(out.answer));
  return out;
}

// What is no decision, since it could not be recorded.
Error refusal_of(RecordOutcome outcome) {
  if (outcome == RecordOutcome::kOtherRequest)
    return {ErrorCode::kConflict,
            "`idempotency_key` was used for another request: take a fresh key for each request"};
  if (outcome == RecordOutcome::kTooManyOfKey)
    return {ErrorCode::kOverloaded,
            "32 requests of this agent wait for an approval: wait until some are decided, cancelled or "
            "expired, `chancery approval list` shows them"};
  if (outcome == RecordOutcome::kTooManyOfFirst)
    return {
        ErrorCode::kOverloaded,
        "128 requests by chains with the same first holder wait for an approval: wait until some are decided, "
        "cancelled or expired, `chancery approval list` shows them"};
  if (outcome == RecordOutcome::kTooManyParked)
    return {ErrorCode::kOverloaded,
            "1024 requests wait for an approval, and no more can: `chancery approval list` shows them"};
  return {ErrorCode::kInternal, "a decision was recorded as something that it is not: report this"};
}

Status require_enforcement_point(Office& office, const CallContext& context, const api::Authorize& message,
                                 const Tokens& tokens) {
  note_attempt(context,
               {.ids = {{"token", id_of_leaf(tokens, message)}},
                .details = json::Node::object({{"audience", message.audience}, {"scope", message.scope}})});
  return require_authority(office, context, scope::kAuthorize, {{"audience", message.audience}});
}

/// Records what was judged, and answers it. What gates are closed for passes them, or waits.
Result<api::Decision> settle(const Recorder& recorder, std::string id) {
  const Judgement& judgement = recorder.judgement;
  const bool is_gated = !judgement.closed.empty();
  CHANCERY_ASSIGN(Recorded done,
                  is_gated ? Passing(recorder, std::move(id)).run() : record_once(recorder, std::move(id)));
  if (done.recording.outcome == RecordOutcome::kOverBound) {
    const std::size_t debit = done.recording.debit;
    done.answer = denied(judgement, over_bound(judgement.budget.bounds[debit], done.recording.total));
    CHANCERY_ASSIGN(done.recording, recorder.record(done.answer));
  }
  switch (done.recording.outcome) {
    case RecordOutcome::kRecorded:
      return std::move(done.answer);
    case RecordOutcome::kAnsweredBefore:
      return repeat(recorder.office, judgement, done.recording.answer);
    case RecordOutcome::kProofUsed:
      return refuse_proof(recorder, true);
    case RecordOutcome::kTooManyProofs:
      return refuse_proof(recorder, false);
    case RecordOutcome::kOtherRequest:
    case RecordOutcome::kTooManyOfKey:
    case RecordOutcome::kTooManyOfFirst:
    case RecordOutcome::kTooManyParked:
    case RecordOutcome::kWaitsAlready:
    case RecordOutcome::kWaitsNoLonger:
    case RecordOutcome::kApproved:
    case RecordOutcome::kApprovedNoLonger:
    case RecordOutcome::kOverBound:
      break;
  }
  return refusal_of(done.recording.outcome);
}

}  // namespace

ApprovalRequest came_of(const api::Decision& decision, const Parking& parking) noexcept {
  if (decision.permitted) return ApprovalRequest::kPermitted;
  if (!decision.approval) return ApprovalRequest::kDenied;
  return parking.is_repeated() ? ApprovalRequest::kRepeated : ApprovalRequest::kParked;
}

void tally(Office& office, const api::Decision& decision) {
  office.tallies->judged(Judged::kAuthorize, outcome_of(decision));
}

Result<api::Decision> decide(Office& office, const CallContext& context, const api::Authorize& message,
                             anomaly::Use& use, ToolCall* call) {
  Tokens tokens = read_tokens(message.chain, office.policy->verify);
  if (call == nullptr) CHANCERY_TRY(require_enforcement_point(office, context, message, tokens));
  CHANCERY_TRY(office.spending.require_newest());
  CHANCERY_ASSIGN(const ActionRequest request, request_of(message));
  CHANCERY_ASSIGN(std::string id, random_id());
  Judgement judgement = judge(office, context, message, request, std::move(tokens));
  const bool is_valid = judgement.verdict.valid();
  if (!judgement.proof) return deny_unproven(office, context, message, judgement, call);
  note_use(judgement, message, use);
  if (is_valid) {
    CHANCERY_ASSIGN(judgement.frozen, frozen_in(office, judgement.verdict.chain()));
    CHANCERY_ASSIGN(judgement.closed, closed_for(office, context, judgement, request, call));
  }
  const bool is_gated = !judgement.closed.empty();
  if (is_gated && call != nullptr && call->parking == nullptr) return terms_required(judgement);
  const Recorder recorder{office, context, message, judgement, call};
  if (!is_gated) return settle(recorder, std::move(id));
  std::optional<Parking> own;
  const auto parking = parking_for(office, context, message, call, own);
  if (parking) judgement.parking = *parking;
  auto decision = parking ? settle(recorder, std::move(id)) : Result<api::Decision>(parking.error());
  // Calls are counted where permits are asked for: there is more that can be wrong with them.
  if (call == nullptr) {
    office.tallies->asked(store::ApprovalKind::kAction,
                          decision ? came_of(*decision, **parking) : ApprovalRequest::kRefused);
  }
  return decision;
}

}  // namespace chancery::service
