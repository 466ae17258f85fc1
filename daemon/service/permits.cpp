#include "daemon/service/permits.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/deciding.hpp"
#include "daemon/service/issuing.hpp"
#include "daemon/service/vault.hpp"
#include "daemon/service/watched.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/base/name.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/token/jws.hpp"

namespace chancery::service {
namespace {

using json::Node;

// A use of a credential that is not reported to have ended counts as open so long: longer than any call may take.
constexpr std::chrono::minutes kLongestUse{15};
// For the provider of what is issued, and for what follows its answer.
constexpr std::chrono::seconds kIssuePatience{15};
constexpr std::chrono::seconds kToRecord{2};

constexpr Error kNotConfigured{
    ErrorCode::kConfigInvalid,
    "the issuer of the tool's credential is not configured: `chancery vault issuers` shows those that are"};
constexpr Error kNotPermitted{ErrorCode::kForbidden, "the call is denied"};

Result<store::Agent> require_runtime(const Office& office, const CallContext& context) {
  const auto policy = office.policy.current();
  for (const std::string& name : policy->runtimes) {
    const auto agent = office.store.agent_by_name(name);
    if (!agent && agent.error().code != ErrorCode::kNotFound) return agent.error();
    if (!agent || !require_agent(office, context, scope::kPermitsCreate, *agent)) continue;
    CHANCERY_TRY(require_serving(*agent, context.now));
    return agent;
  }
  // Whose chain would do, if there were one.
  if (context.caller.chain && policy->runtimes.empty())
    return Error{ErrorCode::kNotFound, "there is no tool runtime: name its agent in [runtime] agents"};
  return Error{
      ErrorCode::kForbidden,
      "only a tool runtime may ask for this: register it as an agent, and name it in [runtime] agents"};
}

bool is_digest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// A proof for another tool, or another server, counts for nothing here: so whoever has taken the runtime over needs a call of
// this very tool.
Status require_for_tool(const Policy& policy, const api::AskPermit& message) {
  if (!is_name(message.tool))
    return Error{ErrorCode::kInvalidArgument,
                 "`tool` must be like an agent's name: [a-z0-9][a-z0-9._-]{0,62}"};
  if (!is_digest(message.arguments_sha256))
    return Error{ErrorCode::kInvalidArgument, "`arguments_sha256` must be 64 lower-case hexadecimal digits"};
  if (message.action.audience != policy.runtime_url)
    return Error{ErrorCode::kInvalidArgument, "`audience` must be the runtime's own URL, [runtime] url"};
  if (message.action.uri != policy.runtime_url + "/v1/tools/" + message.tool)
    return Error{ErrorCode::kInvalidArgument,
                 "`uri` must be the tool's: [runtime] url, /v1/tools/ and the tool's name"};
  if (message.action.method != "POST") return Error{ErrorCode::kInvalidArgument, "`method` must be POST"};
  if (message.action.idempotency_key.empty()) return {};
  return Error{ErrorCode::kInvalidArgument, "a permit is given once: leave `idempotency_key` out"};
}

/// What stands in each entry about a call.
AuditFacts call_facts(const store::Permit& permit, AuditOutcome outcome) {
  return {.ids = {{"permit", permit.id},
                  {"decision", permit.decision},
                  {"token", permit.token},
                  {"runtime", permit.runtime}},
          .details = Node::object({{"tool", permit.tool}}),
          .outcome = outcome};
}

AuditFacts attempt_facts(const store::Permit& permit) {
  AuditFacts facts = call_facts(permit, AuditOutcome::kDone);
  facts.ids.emplace_back("arguments", permit.arguments);
  facts.details.set("scope", permit.scope);
  return facts;
}

// By whose key a call is made is in the log of the decision; the release is the runtime's.
AuditFacts release_facts(const store::Permit& permit) {
  return {.ids = {{"permit", permit.id}, {"runtime", permit.runtime}}, .details = Node::object()};
}

ReleaseRequest release_of(const store::Permit& permit, std::chrono::sys_seconds now) {
  return {permit.credential, permit.tool, permit.scope, permit.id, now + kLongestUse, release_facts(permit)};
}

std::int64_t seconds_of(std::chrono::sys_seconds at) { return at.time_since_epoch().count(); }

// What did not reach the upstream gives its amounts back. The permit has ended by now: nobody does it twice, and what is not given
// back is settled in full when the reservation expires.
void give_back(Office& office, const CallContext& context, const store::Permit& permit) {
  const Status released = office.spending.ledger().release(
      permit.decision, identity_of(context.caller),
      audit_entry("reservation.release", context,
                  {.ids = {{"decision", permit.decision}, {"permit", permit.id}}}));
  if (!released && office.log != nullptr)
    office.log->warning("the amounts of a call that was not made were not given back", released.error());
}

// Before anything is decided for it.
Status require_issuer(const Office& office, const store::Credential& credential) {
  if (credential.issuer.empty() || office.issuers.find(credential.issuer)) return {};
  return kNotConfigured;
}

AuditFacts issue_facts(const Released& released, const store::Permit& permit) {
  AuditFacts facts = release_facts(permit);
  facts.ids.emplace_back("credential", permit.credential);
  facts.ids.emplace_back("credential_id", released.id);
  facts.details.set("issuer", released.issuer);
  facts.details.set("tool", permit.tool);
  return facts;
}

// A call that cannot be given what it needs is not made: the permit has ended, and what it would have spent is given back.
Error refuse_issue(Office& office, const CallContext& context, const Released& released,
                   const store::Permit& permit, const Error& why) {
  AuditFacts facts = issue_facts(released, permit);
  facts.details.set("error", error_name(why.code));
  facts.outcome = AuditOutcome::kFailed;
  const auto ended = office.permits.end(permit.id, {}, context.now,
                                        audit_entry("credential.issue", context, std::move(facts)));
  if (!ended) return ended.error();
  give_back(office, context, permit);
  return why;
}

// That something was issued stands in the log before anybody has it, and only of a call that is not over.
Status record_issue(Office& office, const CallContext& context, const Released& released,
                    const store::Permit& permit, const vault::IssuedCredential& issued) {
  AuditFacts facts = issue_facts(released, permit);
  facts.ids.emplace_back("issued", issued.id);
  const bool has_end = issued.expires_at != std::chrono::sys_seconds::max();
  if (has_end) facts.details.set("expires_at", seconds_of(issued.expires_at));
  if (has_end) facts.details.set("lifetime_s", (issued.expires_at - context.now).count());
  facts.details.set("ends_with_call", issued.ends_with_call);
  CHANCERY_TRY(
      office.permits.record_issue(permit.id, audit_entry("credential.issue", context, std::move(facts))));
  return {};
}

api::ReleasedCredential released_of(Released released, const std::string& name) {
  api::ReleasedCredential out;
  out.name = name;
  out.type = std::move(released.type);
  out.version = released.version;
  out.value = std::move(released.value);
  return out;
}

/// What a call is given: the value that was released, or what is issued for it now.
Result<api::ReleasedCredential> hand_out(Office& office, const CallContext& context, Released released,
                                         const store::Permit& permit) {
  if (released.issuer.empty()) return released_of(std::move(released), permit.credential);
  // What comes too late to be recorded and answered would be good for nobody.
  const auto deadline =
      std::min(context.deadline - kToRecord, std::chrono::steady_clock::now() + kIssuePatience);
  const auto issued = office.issuers.issue(
      {released.issuer, permit.id, released.id, permit.tool, permit.leaf_expires_at}, context.now, deadline);
  if (!issued) return refuse_issue(office, context, released, permit, issued.error());
  const vault::IssuedCredential& given = **issued;
  if (const Status recorded = record_issue(office, context, released, permit, given); !recorded) {
    office.issuers.end(permit.id, context.now);
    return refuse_issue(office, context, released, permit, recorded.error());
  }
  api::ReleasedCredential out = released_of(std::move(released), permit.credential);
  out.is_issued = true;
  out.username = given.username;
  out.value = SecretBytes(given.value.view());
  if (given.expires_at != std::chrono::sys_seconds::max()) out.expires_at = seconds_of(given.expires_at);
  return out;
}

/// A call, from the question to the permit.
class Asking {
 public:
  /// \param token  id of the chain's last one
  Asking(Office& office, const CallContext& context, const api::AskPermit& message, std::string token)
      : office_(office), context_(context), message_(message), token_(std::move(token)) {
    action_ = message.action;
    action_.ada_required = true;
  }

  /// Decides, and releases what is kept.
  Status decide_for(const store::Agent& runtime, anomaly::Use& use) {
    use_ = &use;
    CHANCERY_TRY(begin(runtime));
    CHANCERY_TRY(decide_call());
    // Nothing is decided yet: it is asked again, and is one use then.
    if (answer_.decision.outcome == api::kTermsRequired) {
      use.key.reset();
      return {};
    }
    use.is_denied = !answer_.decision.permitted && !answer_.decision.approval;
    tally(office_, answer_.decision);
    if (answer_.decision.permitted) {
      answer_.id = call_->given.permit.id;
      answer_.expires_at = seconds_of(call_->given.permit.expires_at);
    }
    if (parking_) office_.tallies->asked(store::ApprovalKind::kCall, came_of(answer_.decision, *parking_));
    return {};
  }

  /// Has issued what is to be issued. Whether that succeeds says nothing of the agent whose call it is.
  Result<api::Permit> finish() {
    if (released_) {
      CHANCERY_ASSIGN(answer_.credential,
                      hand_out(office_, context_, *std::move(released_), call_->given.permit));
    }
    return std::move(answer_);
  }

 private:
  Status begin(const store::Agent& runtime) {
    store::Permit permit;
    CHANCERY_ASSIGN(permit.id, random_id());
    permit.runtime = runtime.id;
    permit.token = token_;
    permit.tool = message_.tool;
    permit.scope = action_.scope;
    permit.credential = message_.credential;
    permit.arguments = message_.arguments_sha256;
    permit.given_at = context_.now;
    permit.expires_at = context_.now + kPermitLife;
    auto attempt = audit_entry("tool.attempt", context_, attempt_facts(permit));
    call_.emplace(ToolCall{message_.tool, {std::move(permit)}, std::move(attempt)});
    if (!message_.approval) return {};
    parking_.emplace(office_, context_, action_,
                     matter_of_call(*office_.policy.current(), message_, runtime));
    call_->parking = &*parking_;
    call_->takes_approval = message_.approval->is_declared;
    return {};
  }

  Status decide_call() {
    if (message_.credential.empty()) return decide_alone();
    if (message_.release) return decide_and_release();
    CHANCERY_TRY(office_.vault.may_release(release_of(call_->given.permit, context_.now), context_.now));
    CHANCERY_ASSIGN(const store::Credential read, office_.vault.book.find(message_.credential, context_.now));
    CHANCERY_TRY(require_issuer(office_, read));
    return decide_alone();
  }

  Status decide_alone() {
    CHANCERY_ASSIGN(answer_.decision, decide(office_, context_, action_, *use_, &*call_));
    return {};
  }

  // What would be denied releases nothing, and a credential that cannot be released leaves nothing decided.
  Status decide_and_release() {
    bool is_decided = false;
    const auto take = [&](const store::Credential& read, store::CredentialUse use,
                          store::AuditEntry audit) -> Status {
      CHANCERY_TRY(require_issuer(office_, read));
      call_->given.permit.released_at = context_.now;
      call_->given.release = {read, std::move(use), std::move(audit)};
      CHANCERY_TRY(decide_alone());
      is_decided = true;
      return answer_.decision.permitted ? Status{} : Status{kNotPermitted};
    };
    auto released =
        office_.vault.release(release_of(call_->given.permit, context_.now), on_behalf_of(context_), take);
    if (released) {
      released_ = *std::move(released);
      return {};
    }
    return is_decided ? Status{} : Status{released.error()};
  }

  Office& office_;
  const CallContext& context_;
  const api::AskPermit& message_;
  const std::string token_;
  anomaly::Use* use_ = nullptr;  // while it is decided
  api::Authorize action_;
  std::optional<Parking> parking_;
  std::optional<ToolCall> call_;
  std::optional<Released> released_;
  api::Permit answer_;
};

/// A permit of that runtime's; of another's there is nothing to be known.
Result<store::Permit> permit_of(const Office& office, const store::Agent& runtime, std::string_view id) {
  CHANCERY_ASSIGN(store::Permit permit, office.permits.find(id));
  if (permit.runtime != runtime.id) return store::kNoSuchPermit;
  return permit;
}

// Names of an entry's members are not redacted: they can be kinds, and nothing that a secret would fit into.
bool are_kinds(const std::map<std::string, std::int64_t>& counts) {
  return counts.size() <= 64 && std::ranges::all_of(counts, [](const auto& count) {
           const std::string& kind = count.first;
           return !kind.empty() && kind.size() <= 32 &&
                  kind.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos;
         });
}

Status check_result(const api::CallResult& message) {
  constexpr std::array<std::string_view, 4> kStatuses{"done", "error", "failed", "refused"};
  if (std::ranges::find(kStatuses, message.status) == kStatuses.end())
    return Error{ErrorCode::kInvalidArgument, "`status` must be done, error, failed or refused"};
  const bool has_hashes = is_digest(message.result_sha256) &&
                          (message.upstream_sha256.empty() || is_digest(message.upstream_sha256));
  if (!has_hashes)
    return Error{ErrorCode::kInvalidArgument,
                 "`result_sha256` and `upstream_sha256` must be 64 lower-case hexadecimal digits"};
  if (are_kinds(message.redactions)) return {};
  return Error{ErrorCode::kInvalidArgument,
               "`redactions` must have at most 64 kinds, in lower case with underscores"};
}

Node counts_node(const std::map<std::string, std::int64_t>& counts) {
  Node node = Node::object();
  for (const auto& [kind, count] : counts) node.set(kind, count);
  return node;
}

// An upstream that shows a credential shows it to others. The value that waits takes its place at once, if the record says so;
// where none waits, the log says that somebody must put one.
Status answer_exposure(Office& office, const CallContext& context, const store::Permit& permit) {
  CHANCERY_ASSIGN(const store::Credential credential, office.vault.book.find(permit.credential, context.now));
  const auto entry = [&](bool is_rotated) {
    AuditFacts facts = credential_facts(credential);
    facts.ids.emplace_back("permit", permit.id);
    facts.details.set("rotated", is_rotated);
    return audit_entry("credential.exposed", context, std::move(facts));
  };
  if (credential.rotate_on_hit && credential.version_in(store::VersionState::kPending) != nullptr) {
    const auto rotated = office.vault.book.activate(credential, context.now, context.now, entry(true));
    if (rotated || rotated.error().code != ErrorCode::kConflict)
      return rotated ? Status{} : Status{rotated.error()};
  }
  CHANCERY_TRY(office.store.append_audit(entry(false)));
  return {};
}

constexpr std::array<std::string_view, 5> kReasons{"arguments", "secret_in_arguments", "unknown_tool",
                                                   "tool_changed", "upstream_request"};

Status check_refusal(const api::ToolRefusal& message) {
  if (!is_name(message.tool))
    return Error{ErrorCode::kInvalidArgument,
                 "`tool` must be like an agent's name: [a-z0-9][a-z0-9._-]{0,62}"};
  if (std::ranges::find(kReasons, message.reason) == kReasons.end())
    return Error{
        ErrorCode::kInvalidArgument,
        "`reason` must be arguments, secret_in_arguments, unknown_tool, tool_changed or upstream_request"};
  if (!message.token.empty() && !is_digest(message.token))
    return Error{ErrorCode::kInvalidArgument, "`token` must be 64 lower-case hexadecimal digits"};
  if (are_kinds(message.hits)) return {};
  return Error{ErrorCode::kInvalidArgument,
               "`hits` must have at most 64 kinds, in lower case with underscores"};
}

std::string receipt_of(const store::Permit& permit, const std::string& runtime, const api::CallResult& result,
                       std::chrono::sys_seconds now) {
  return json::to_jcs(Node::object({{"arguments_sha256", permit.arguments},
                                    {"at", seconds_of(now)},
                                    {"decision", permit.decision},
                                    {"key", permit.key.text()},
                                    {"permit", permit.id},
                                    {"result_sha256", result.result_sha256},
                                    {"runtime", runtime},
                                    {"status", result.status},
                                    {"token", permit.token},
                                    {"tool", permit.tool}}));
}

std::string digest_of(std::string_view text) { return hex_encode(sha256(as_bytes(text))); }

AuditFacts result_facts(const store::Permit& permit, const api::CallResult& result,
                        const std::string& receipt) {
  AuditFacts facts =
      call_facts(permit, result.status == "done" ? AuditOutcome::kDone : AuditOutcome::kFailed);
  facts.ids.emplace_back("receipt", digest_of(receipt));
  facts.details.set("status", result.status);
  facts.details.set("result_sha256", result.result_sha256);
  if (!result.upstream_sha256.empty()) facts.details.set("upstream_sha256", result.upstream_sha256);
  if (!result.redactions.empty()) facts.details.set("redactions", counts_node(result.redactions));
  if (result.exposed) facts.details.set("exposed", true);
  if (result.refused_credential) facts.details.set("refused_credential", true);
  return facts;
}

Reception reception_of(const api::CallResult& result) {
  if (result.refused_credential) return Reception::kRefused;
  return result.status == "done" ? Reception::kAccepted : Reception::kUnknown;
}

Result<std::vector<std::string>> receipts_of(const Office& office, const store::Agent& runtime,
                                             const std::vector<std::string>& permits) {
  if (permits.empty() || permits.size() > kMostReceipts)
    return Error{ErrorCode::kInvalidArgument, "`permits` must be 1 to 64 ids"};
  std::vector<std::string> receipts;
  for (const std::string& id : permits) {
    CHANCERY_ASSIGN(const store::Permit permit, permit_of(office, runtime, id));
    if (permit.receipt.empty())
      return Error{ErrorCode::kInvalidArgument, "a call whose result was not reported has no receipt"};
    receipts.push_back(digest_of(permit.receipt));
  }
  return receipts;
}

// How often what can matter no more is forgotten.
constexpr std::chrono::minutes kBetweenPrunings{10};

}  // namespace

void PermitKeeper::tick(std::chrono::sys_seconds now) {
  office_.issuers.end_expired(now);
  const auto open = office_.permits.unreported(now - kLongestUse);
  if (!open) return complain_("permits that were never reported could not be looked up", open.error());
  for (const store::Permit& permit : *open) {
    const auto ended = office_.permits.end(
        permit.id, {}, now, audit_entry("tool.unreported", now, call_facts(permit, AuditOutcome::kFailed)));
    if (ended) office_.issuers.end(permit.id, now);
    // A conflict: it was reported meanwhile.
    if (!ended && ended.error().code != ErrorCode::kConflict)
      complain_("that a permit was never reported could not be recorded", ended.error());
  }
  if (now < next_pruning_ && next_pruning_ <= now + kBetweenPrunings) return;
  next_pruning_ = now + kBetweenPrunings;
  if (const Status pruned = office_.permits.prune(now); !pruned)
    complain_("former permits could not be forgotten", pruned.error());
}

Result<api::Permit> ask_permit(Office& office, const CallContext& context, const api::AskPermit& message) {
  std::optional<Asking> asking;
  const Status decided = watched(office, context, [&](anomaly::Use& use) -> Status {
    std::string token = leaf_id(message.action.chain);
    note_attempt(context,
                 {.ids = {{"token", token}},
                  .details = Node::object({{"tool", message.tool}, {"scope", message.action.scope}})});
    CHANCERY_TRY(office.spending.require_newest());
    CHANCERY_ASSIGN(const store::Agent runtime, require_runtime(office, context));
    CHANCERY_TRY(require_for_tool(*office.policy.current(), message));
    if (message.approval) CHANCERY_TRY(check_approval(message));
    return asking.emplace(office, context, message, std::move(token)).decide_for(runtime, use);
  });
  if (message.approval && !decided)
    office.tallies->asked(store::ApprovalKind::kCall, ApprovalRequest::kRefused);
  if (!decided) return decided.error();
  return asking->finish();
}

Result<api::ReleasedCredential> use_permit(Office& office, const CallContext& context, std::string_view id) {
  note_attempt(context, {.ids = {{"permit", std::string(id)}}});
  CHANCERY_TRY(office.spending.require_newest());
  CHANCERY_ASSIGN(const store::Agent runtime, require_runtime(office, context));
  CHANCERY_ASSIGN(const store::Permit permit, permit_of(office, runtime, id));
  if (permit.credential.empty())
    return Error{ErrorCode::kNotFound, "the permit is for a call without a credential"};
  const auto take = [&](const store::Credential& read, const store::CredentialUse& use,
                        const store::AuditEntry& audit) -> Status {
    CHANCERY_TRY(require_issuer(office, read));
    CHANCERY_TRY(office.permits.release(permit, read, use, context.now, audit));
    return {};
  };
  CHANCERY_ASSIGN(Released released,
                  office.vault.release(release_of(permit, context.now), on_behalf_of(context), take));
  return hand_out(office, context, std::move(released), permit);
}

Result<api::Receipt> report_result(Office& office, const CallContext& context, std::string_view id,
                                   const api::CallResult& message) {
  note_attempt(context, {.ids = {{"permit", std::string(id)}}});
  CHANCERY_ASSIGN(const store::Agent runtime, require_runtime(office, context));
  CHANCERY_ASSIGN(const store::Permit permit, permit_of(office, runtime, id));
  CHANCERY_TRY(check_result(message));
  api::Receipt receipt{
      receipt_of(permit, spiffe_id(*office.policy.current(), runtime.name), message, context.now)};
  CHANCERY_TRY(
      office.permits.end(id, receipt.json, context.now,
                         audit_entry("tool.result", context, result_facts(permit, message, receipt.json))));
  office.issuers.end(id, context.now, reception_of(message));
  if (message.status == "failed" || message.status == "refused") give_back(office, context, permit);
  if (message.exposed && !permit.credential.empty()) {
    const Status answered = answer_exposure(office, context, permit);
    if (!answered && office.log != nullptr)
      office.log->error("that an upstream showed its credential was not recorded", answered.error());
  }
  return receipt;
}

// Before anybody has shown a key, whoever asks may ask as often as it likes: the bound on refusals is on these too.
Result<api::RecordedRefusal> report_refusal(Office& office, const CallContext& context,
                                            const api::ToolRefusal& message) {
  note_attempt(context, {.details = Node::object({{"tool", message.tool}})});
  CHANCERY_ASSIGN(const store::Agent runtime, require_runtime(office, context));
  CHANCERY_TRY(check_refusal(message));
  if (!office.audit.refusals.admit({}, context.now)) return api::RecordedRefusal{false};
  AuditFacts facts{
      .ids = {{"runtime", runtime.id}, {"token", message.token}},
      .details = Node::object(
          {{"tool", message.tool}, {"reason", message.reason}, {"hits", counts_node(message.hits)}}),
      .outcome = AuditOutcome::kRefused};
  CHANCERY_TRY(office.store.append_audit(audit_entry("tool.refuse", context, std::move(facts))));
  return api::RecordedRefusal{true};
}

Result<api::SignedReceipts> sign_receipts(Office& office, const CallContext& context,
                                          const api::SignReceipts& message) {
  note_attempt(context, {});
  CHANCERY_TRY(office.spending.require_newest());
  CHANCERY_ASSIGN(const store::Agent runtime, require_runtime(office, context));
  CHANCERY_ASSIGN(const std::vector<std::string> receipts, receipts_of(office, runtime, message.permits));
  const PublicKey& signer = runtime.key.stored.public_key;
  Node list = Node::array();
  for (const std::string& receipt : receipts) list.push_back(receipt);
  // With the key in it, the signature verifies also when the runtime has another by then.
  const Node header = Node::object({{"alg", algorithm_name(signer.algorithm())},
                                    {"jwk", Node::canonical(signer.jwk())},
                                    {"kid", signer.thumbprint().text()},
                                    {"typ", "chancery-receipts+jwt"}});
  const Node payload = Node::object({{"iat", seconds_of(context.now)},
                                     {"iss", spiffe_id(*office.policy.current(), runtime.name)},
                                     {"receipts", std::move(list)}});
  const std::string input = signing_input_of(header, payload);
  CHANCERY_ASSIGN(const Signature signature, sign_as(office, context, runtime, input));
  AuditFacts facts{.agent = runtime.name,
                   .ids = {{"key", signer.thumbprint().text()}, {"receipts", digest_of(input)}},
                   .details = Node::object({{"count", receipts.size()}})};
  CHANCERY_TRY(
      office.store.record_use(signer.thumbprint(), audit_entry("receipt.sign", context, std::move(facts))));
  return api::SignedReceipts{input + "." + base64url_encode(signature)};
}

}  // namespace chancery::service
