#include "daemon/runtime/call_desk.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

#include <chancery/token.hpp>

#include "daemon/runtime/tools/response.hpp"
#include "daemon/runtime/upstreams/answer_limits.hpp"
#include "daemon/runtime/upstreams/mcp_result.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/redaction/body.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::runtime {
namespace {

using Kind = CallAnswer::Kind;
using json::Node;
using Counts = std::map<std::string, std::int64_t>;

constexpr json::Limits kArgumentLimits{.max_depth = 32, .max_values = 1u << 16};
// Beyond what the call itself may take: so long are the amounts that it spends reserved.
constexpr std::chrono::seconds kReserveBeyond{60};
constexpr std::size_t kMostOfComplaint = 2048;  // octets in the log

std::chrono::sys_seconds wall_clock() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

std::string digest_of(std::string_view text) { return hex_encode(sha256(as_bytes(text))); }

Counts counts_of(const std::vector<redaction::Hit>& hits) {
  Counts out;
  for (const redaction::Hit& hit : hits) ++out[std::string(redaction::hit_kind_name(hit.kind))];
  return out;
}

bool has_known(const std::vector<redaction::Hit>& hits, const std::string& credential) {
  return std::ranges::any_of(hits, [&](const redaction::Hit& hit) {
    return hit.kind == redaction::HitKind::kKnown && hit.name == credential;
  });
}

// A parameter that constraints look at in a deeper place must not be what stands under its name at the top.
bool has_decoy(const tools::Tool& tool, const json::Value& arguments) {
  return std::ranges::any_of(tool.constraints, [&](const tools::ConstraintSource& source) {
    return source.argument.text != "/" + source.parameter && arguments.find(source.parameter) != nullptr;
  });
}

CallAnswer answer(Kind kind, std::string code, std::string message) {
  CallAnswer out;
  out.kind = kind;
  out.code = std::move(code);
  out.message = std::move(message);
  return out;
}

CallAnswer not_granted() {
  return answer(Kind::kDenied, "chain_refused",
                "the chain does not grant this tool here, or does not count: `chancery explain` says why");
}

const char* const kUnavailable =
    "the runtime cannot reach its daemon, or is not known to it: nothing was done, try again later";

// A tool's description in one line, cut where a person has read enough.
std::string described(const tools::Tool& tool) {
  constexpr std::size_t kLongest = 512;
  std::string out = tool.description;
  std::ranges::replace_if(
      out, [](unsigned char c) { return c < ' ' || c == 127; }, ' ');
  if (out.size() <= kLongest) return out;
  std::size_t end = kLongest;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0u) == 0x80u) --end;  // within a character
  return out.substr(0, end);
}

// What is decided about, and what the agent's proof is of: all of the arguments, and what constraints look at in deeper places.
std::string params_of(const tools::PreparedCall& prepared) {
  const auto arguments = json::Document::parse(prepared.arguments, kArgumentLimits);
  const auto params = json::Document::parse(prepared.params, kArgumentLimits);
  if (!arguments || !params) return prepared.params;
  Node out = Node::object();
  for (const json::Member& parameter : params->root().members())
    out.set(std::string(parameter.name), Node::copy(parameter.value));
  for (const json::Member& argument : arguments->root().members()) {
    if (params->root().find(argument.name) == nullptr)
      out.set(std::string(argument.name), Node::copy(argument.value));
  }
  return json::to_jcs(out);
}

const char* event_name(mcp::UpstreamEvent event) {
  switch (event) {
    case mcp::UpstreamEvent::kToolsChanged:
      return "tools_changed";
    case mcp::UpstreamEvent::kAskedForSampling:
      return "sampling";
    case mcp::UpstreamEvent::kAskedForInput:
      return "elicitation";
    case mcp::UpstreamEvent::kAskedForRoots:
      return "roots";
    case mcp::UpstreamEvent::kAskedForOther:
      return "other_request";
    case mcp::UpstreamEvent::kStrayAnswer:
      return "stray_answer";
  }
  return "other_request";
}

bool is_request(mcp::UpstreamEvent event) {
  return event != mcp::UpstreamEvent::kToolsChanged && event != mcp::UpstreamEvent::kStrayAnswer;
}

CallAnswer tool_changed() {
  return answer(
      Kind::kFailed, "tool_changed",
      "the tool is not the one that was reviewed, or is not offered any more, and nothing was done: an "
      "operator must look at it (chancery-runtime --review)");
}

}  // namespace

std::vector<std::string> scopes_at(std::string_view url, const api::Verification& verification) {
  const auto document = json::Document::parse(verification.json);
  const json::Value* const leaf = document ? document->root().find("leaf") : nullptr;
  const json::Value* const authority = leaf == nullptr ? nullptr : leaf->find("authority");
  if (!verification.valid() || authority == nullptr) return {};
  const json::Value* const audience = leaf->find("audience");
  const bool is_meant =
      audience != nullptr &&
      std::ranges::any_of(audience->items(), [url](const json::Value& item) { return item.string() == url; });
  const json::Value* const scopes = authority->find("scopes");
  if (!is_meant || scopes == nullptr) return {};
  std::vector<std::string> out;
  for (const json::Value& scope : scopes->items()) out.emplace_back(scope.string().value_or(""));
  return out;
}

/// One call, from the arguments to the answer.
class CallDesk::Call {
 public:
  Call(CallDesk& desk, const tools::Tool& tool, const Presentation& agent)
      : desk_(desk), tool_(tool), agent_(agent) {}

  CallAnswer run(std::string arguments, const std::stop_token& stop) {
    if (auto refused = check(std::move(arguments))) return *std::move(refused);
    if (auto refused = look(stop)) return *std::move(refused);
    if (auto refused = permit()) return *std::move(refused);
    Made made = make(stop);
    tell_events();
    return finish(std::move(made));
  }

 private:
  /// What the upstream answered, or what came in between.
  struct Made {
    std::string status;    ///< as api::CallResult has it
    std::string upstream;  ///< as it came; empty: nothing
    CallAnswer answer;
    Counts redactions{};
    bool exposed = false;
    bool refused_credential = false;
  };

  std::optional<CallAnswer> check(std::string text);
  std::optional<CallAnswer> refuse(CallAnswer refusal, const char* reason, const Counts& hits = {});
  api::AskPermit question() const;
  std::optional<CallAnswer> refusal_of(const ClientResult<api::Permit>& permit) const;
  [[nodiscard]] bool takes_approval() const noexcept { return tool_.approval == tools::Approval::kRequired; }
  api::ApprovalTerms terms() const;
  CallAnswer waiting(api::PendingApproval pending) const;
  ClientResult<api::Permit> ask_permit() const;
  [[nodiscard]] std::string address() const { return desk_.options_.url + "/v1/tools/" + tool_.name; }
  [[nodiscard]] bool is_proven() const;
  CallAnswer refuse_changed() const;
  std::optional<CallAnswer> look(const std::stop_token& stop);
  std::optional<CallAnswer> permit();
  Made make(const std::stop_token& stop);
  Made take(const UpstreamOutcome& outcome);
  Made show(const UpstreamOutcome& outcome) const;
  void report(const char* reason, const Counts& hits) const;
  void tell_failure(const Error& error) const;
  void tell_events();
  CallAnswer finish(Made made);

  CallDesk& desk_;
  const tools::Tool& tool_;
  const Presentation& agent_;
  std::optional<tools::PreparedCall> prepared_;
  std::optional<api::Permit> permit_;
  std::unique_ptr<Upstream> upstream_;
  std::optional<IssuedSecrets::Id> issued_;  // for this call
};

// The arguments are decided about as they were sent: what the runtime changed the agent would not have asked for.
std::optional<CallAnswer> CallDesk::Call::check(std::string text) {
  const auto arguments = json::Document::parse(std::move(text), kArgumentLimits);
  if (!arguments || !arguments->root().is(json::Value::Kind::kObject))
    return refuse(answer(Kind::kInvalid, "malformed", "the arguments must be a JSON object"), "arguments");
  auto prepared = tools::prepare(tool_, arguments->root());
  if (!prepared) {
    CallAnswer refusal = answer(Kind::kInvalid, "invalid_arguments", prepared.error().error.what);
    refusal.argument = prepared.error().argument;
    refusal.findings = std::move(prepared.error().findings);
    return refuse(std::move(refusal), "arguments");
  }
  if (prepared->arguments != json::to_jcs(arguments->root()))
    return refuse(
        answer(Kind::kInvalid, "not_canonical",
               "an argument has more than one spelling: send it as the tool will use it (paths without .., "
               "addresses as the URL standard writes them)"),
        "arguments");
  if (has_decoy(tool_, arguments->root()))
    return refuse(
        answer(Kind::kInvalid, "ambiguous_argument",
               "an argument has the name of a parameter that is taken from another place: leave it out"),
        "arguments");
  const auto hits = desk_.finder_.find_json(prepared->arguments);
  if (!hits.empty()) {
    CallAnswer refusal = answer(
        Kind::kInvalid, "secret_in_arguments",
        "an argument holds what looks like a secret, which no tool is to get from an agent: leave it out");
    // Where one stands that is known tells whoever guesses which guess was right.
    if (hits.front().kind != redaction::HitKind::kKnown) refusal.argument = hits.front().where;
    return refuse(std::move(refusal), "secret_in_arguments", counts_of(hits));
  }
  prepared_ = *std::move(prepared);
  return std::nullopt;
}

std::optional<CallAnswer> CallDesk::Call::refuse(CallAnswer refusal, const char* reason, const Counts& hits) {
  if (!desk_.is_granted(tool_, agent_)) return not_granted();
  refusal.redactions = hits;
  report(reason, hits);
  return refusal;
}

// A daemon that is away records nothing, and nothing was done.
void CallDesk::Call::report(const char* reason, const Counts& hits) const {
  const auto leaf = Token::parse(agent_.chain.back());
  const std::string token = leaf ? hex_encode(leaf->digest()) : std::string();
  const auto recorded = desk_.parts_.daemon.report_refusal({tool_.name, reason, token, hits});
  if (!recorded) desk_.parts_.log.warning("a refused call could not be recorded", recorded.error().error);
}

// What a person is to read of the call. That its tool takes an approval is the declaration's word, and so this program's alone; for
// what else one is taken the daemon knows from its gates.
api::ApprovalTerms CallDesk::Call::terms() const {
  api::ApprovalTerms out;
  out.risk = tools::risk_name(tool_.risk);
  out.arguments = prepared_->arguments;
  out.description = described(tool_);
  out.is_declared = takes_approval();
  return out;
}

CallAnswer CallDesk::Call::waiting(api::PendingApproval pending) const {
  CallAnswer out = answer(
      Kind::kApproval, std::string(api::kApprovalRequired),
      "this takes an approval by a person: the call waits for one, and nothing was done yet; once it is approved, "
      "the same call made again is done");
  out.approval = std::move(pending.id);
  out.expires_at = pending.expires_at;
  out.document = std::move(pending.document);
  out.url = std::move(pending.url);
  return out;
}

// What a permit is asked for with, whether a person is asked or not.
api::AskPermit CallDesk::Call::question() const {
  api::AskPermit ask;
  ask.action.chain = agent_.chain;
  ask.action.proof = agent_.proof;
  ask.action.method = "POST";
  ask.action.uri = address();
  ask.action.audience = desk_.options_.url;
  ask.action.scope = tool_.scope;
  ask.action.params = params_of(*prepared_);
  ask.action.reserve =
      std::chrono::duration_cast<std::chrono::seconds>(tools::limits_of(tool_).timeout) + kReserveBeyond;
  ask.tool = tool_.name;
  ask.credential = tool_.credential;
  ask.arguments_sha256 = hex_encode(prepared_->arguments_sha256);
  return ask;
}

std::optional<CallAnswer> CallDesk::Call::refusal_of(const ClientResult<api::Permit>& permit) const {
  if (!permit && permit.error().code == error_name(ErrorCode::kOverloaded)) {
    desk_.parts_.log.warning("too many calls wait for an approval", permit.error().error,
                             {{"tool", tool_.name}});
    return answer(
        Kind::kFailed, permit.error().code,
        "too many calls wait for an approval, and nothing was done: try again when some are decided");
  }
  if (!permit) {
    desk_.parts_.log.warning("no permit could be had", permit.error().error, {{"tool", tool_.name}});
    if (!permit.error().refused()) return answer(Kind::kFailed, "daemon_unavailable", kUnavailable);
    return answer(Kind::kFailed, permit.error().code,
                  "the daemon did not give what the call needs, and nothing was done: its log says why");
  }
  if (permit->decision.permitted) return std::nullopt;
  if (permit->decision.approval) return waiting(*permit->decision.approval);
  CallAnswer out = answer(Kind::kDenied, permit->decision.outcome, permit->decision.reason);
  out.decision = wire::write(permit->decision);
  return out;
}

// The first question uses nothing up when a gate is closed: the same proof is good for the second, which has what a person is to read.
ClientResult<api::Permit> CallDesk::Call::ask_permit() const {
  api::AskPermit ask = question();
  ask.release = true;
  if (takes_approval()) ask.approval = terms();
  auto permit = desk_.parts_.daemon.ask_permit(ask);
  const bool is_gated = permit && permit->decision.outcome == api::kTermsRequired && !ask.approval;
  if (!is_gated) return permit;
  ask.approval = terms();
  return desk_.parts_.daemon.ask_permit(ask);
}

std::optional<CallAnswer> CallDesk::Call::permit() {
  auto permit = ask_permit();
  if (auto refused = refusal_of(permit)) return refused;
  if (permit->credential) desk_.know(*permit->credential);
  if (permit->credential && permit->credential->is_issued)
    issued_ = IssuedSecrets::id_of(*permit->credential);
  permit_ = *std::move(permit);
  return std::nullopt;
}

// Whether chain and proof are for this very call, by what the daemon says without recording it: all but the chain's bounds, of which it
// tells totals to nobody in advance. Nothing depends on it: the permit decides.
bool CallDesk::Call::is_proven() const {
  api::VerifyChain question{agent_.chain,
                            api::Action{desk_.options_.url, tool_.scope, params_of(*prepared_), {}}};
  question.request->dpop = DpopPresentation{agent_.proof, "POST", address(), {}};
  const auto verified = desk_.parts_.verifier.verify(question);
  return verified && (verified->valid() || verified->outcome == "ceiling_exceeded");
}

CallAnswer CallDesk::Call::refuse_changed() const {
  desk_.parts_.log.warning("a tool is not as it was reviewed, and was not called", {{"tool", tool_.name}});
  report("tool_changed", {});
  return tool_changed();
}

// A tool of an MCP server that is another one now gets no credential. For whoever shows no chain and proof for it no server is started.
std::optional<CallAnswer> CallDesk::Call::look(const std::stop_token& stop) {
  if (!tools::speaks_mcp(tool_)) return std::nullopt;
  if (desk_.upstreams_.is_disabled(tool_))
    return desk_.is_granted(tool_, agent_) ? refuse_changed() : not_granted();
  if (!is_proven()) return std::nullopt;
  auto made = desk_.upstreams_.make(tool_);
  if (!made) return std::nullopt;  // and again when the call is made, where it is recorded
  upstream_ = *std::move(made);
  if (desk_.upstreams_.look(tool_, *upstream_, stop) == Standing::kAsReviewed) return std::nullopt;
  tell_events();
  return refuse_changed();
}

// What a server asks besides answering has no effect; who asks is told to whoever watches.
void CallDesk::Call::tell_events() {
  Counts requests;
  if (!upstream_) return;
  for (const mcp::UpstreamEvent event : upstream_->take_events()) {
    desk_.parts_.log.warning("an MCP server did more than answer, which has no effect",
                             {{"tool", tool_.name}, {"event", event_name(event)}});
    if (is_request(event)) ++requests[event_name(event)];
  }
  if (!requests.empty()) report("upstream_request", requests);
}

CallDesk::Call::Made CallDesk::Call::make(const std::stop_token& stop) {
  if (!upstream_) {
    auto made = desk_.upstreams_.make(tool_);
    if (!made) return Made{"failed", {}, answer(Kind::kFailed, "upstream_failed", made.error().what)};
    upstream_ = *std::move(made);
  }
  const SecretBytes* const credential = permit_->credential ? &permit_->credential->value : nullptr;
  const UpstreamOutcome outcome = upstream_->call(*prepared_, credential, stop);
  permit_->credential.reset();
  const bool has_answer =
      outcome.kind != UpstreamOutcome::Kind::kNeverSent && outcome.kind != UpstreamOutcome::Kind::kMaybeSent;
  if (!has_answer) tell_failure(outcome.error);
  return take(outcome);
}

// The upstream's own words may hold the credential, which the log's redactor does not know.
void CallDesk::Call::tell_failure(const Error& error) const {
  const std::string complaint = desk_.finder_.redact(upstream_->complaint()).text.substr(0, kMostOfComplaint);
  if (complaint.empty()) {
    desk_.parts_.log.warning("an upstream did not answer", error, {{"tool", tool_.name}});
  } else {
    desk_.parts_.log.warning("an upstream did not answer", error,
                             {{"tool", tool_.name}, {"stderr", complaint}});
  }
}

// What may have reached the upstream counts as spent.
CallDesk::Call::Made CallDesk::Call::take(const UpstreamOutcome& outcome) {
  using Came = UpstreamOutcome::Kind;
  Made made;
  switch (outcome.kind) {
    case Came::kNeverSent:
    case Came::kMaybeSent:
      made.status = outcome.kind == Came::kNeverSent ? "failed" : "error";
      made.answer = answer(Kind::kFailed, "upstream_failed", outcome.error.what);
      break;
    case Came::kChanged:
      if (outcome.standing == Standing::kChanged) desk_.upstreams_.disable(tool_);
      made.status = "refused";
      made.answer = refuse_changed();
      break;
    case Came::kUnreadable:
      made.status = "error";
      made.answer = answer(Kind::kError, "upstream_answer",
                           "the upstream's answer is no JSON that can be read, and nothing of it passes");
      break;
    case Came::kAnswered:
      made = show(outcome);
      break;
  }
  made.upstream = outcome.raw;
  made.refused_credential = outcome.status == 401 && !tool_.credential.empty();
  // Also where no field that may pass has it: whoever echoes a credential shows it to others.
  made.exposed =
      !tool_.credential.empty() && (has_known(desk_.finder_.find(outcome.raw), tool_.credential) ||
                                    has_known(desk_.finder_.find(outcome.heard), tool_.credential));
  return made;
}

// Of an upstream that fails the same fields pass as of one that does not.
CallDesk::Call::Made CallDesk::Call::show(const UpstreamOutcome& outcome) const {
  Made made;
  redaction::Redacted redacted{"null", {}};
  const auto document = json::Document::parse_borrowed(outcome.document, kAnswerLimits);
  if (document && tools::speaks_mcp(tool_)) {
    redacted = shape_mcp_result(tool_, document->root(), desk_.finder_,
                                outcome.is_refusal ? McpAnswer::kRefusal : McpAnswer::kResult);
  } else if (document) {
    redacted = desk_.finder_.redact_json(tools::shape_response(tool_, document->root()));
  }
  made.redactions = counts_of(redacted.hits);
  made.status = outcome.is_error ? "error" : "done";
  if (!outcome.is_error) {
    made.answer = answer(Kind::kDone, "done", {});
  } else if (tools::speaks_mcp(tool_)) {
    made.answer =
        answer(Kind::kError, "upstream_error", "the tool says that it failed: its content says how");
  } else {
    made.answer = answer(Kind::kError, "upstream_error",
                         "the upstream answered with status " + std::to_string(outcome.status));
  }
  made.answer.result = std::move(redacted.text);
  return made;
}

// No record, no answer.
CallAnswer CallDesk::Call::finish(Made made) {
  api::CallResult result;
  result.status = made.status;
  if (!made.upstream.empty()) result.upstream_sha256 = digest_of(made.upstream);
  result.result_sha256 = digest_of(made.answer.result);
  made.answer.redactions = made.redactions;
  result.redactions = std::move(made.redactions);
  result.exposed = made.exposed;
  result.refused_credential = made.refused_credential;
  if (issued_) desk_.issued_.call_ended(*issued_, wall_clock());
  auto receipt = desk_.parts_.daemon.report_result(permit_->id, result);
  if (!receipt) {
    desk_.parts_.log.error("the result of a call could not be recorded", receipt.error().error,
                           {{"tool", tool_.name}, {"permit", permit_->id}});
    CallAnswer out =
        answer(Kind::kFailed, "not_recorded",
               "the call was made, and its result could not be recorded: look at the tool's own records");
    out.permit = permit_->id;
    return out;
  }
  made.answer.permit = permit_->id;
  made.answer.receipt = receipt->json;
  desk_.parts_.receipts.add(permit_->id, receipt->json);
  return std::move(made.answer);
}

CallDesk::CallDesk(Parts parts, CallDeskOptions options)
    : parts_(parts),
      options_(std::move(options)),
      upstreams_(
          parts.outbound, options_.ca_file,
          [&log = parts_.log] {
            log.warning(
                "the kernel grants no user namespaces: programs of tools run without, and can signal one another");
          }),
      known_(std::make_shared<redaction::KnownSecrets>()),
      finder_(known_),
      issued_(*known_) {}

// The proof is the daemon's to judge, with the arguments: here it is not known yet which they are.
bool CallDesk::is_granted(const tools::Tool& tool, const Presentation& agent) const {
  return std::ranges::any_of(granted_scopes(agent), [&tool](const std::string& granted) {
    return scope_covers(granted, tool.scope);
  });
}

std::vector<std::string> CallDesk::granted_scopes(const Presentation& agent) const {
  const auto verified = parts_.verifier.verify({agent.chain, {}, {}});
  return verified ? scopes_at(options_.url, *verified) : std::vector<std::string>();
}

void CallDesk::know(const api::ReleasedCredential& credential) {
  const Status known =
      credential.is_issued ? issued_.call_begins(credential, wall_clock()) : know_kept(credential);
  if (known) return;
  parts_.log.warning("a credential is too short, or too long, to be looked for in answers", known.error(),
                     {{"credential", credential.name}});
}

// By value, not by version: a daemon that was restored from a backup gives the same number to another value.
Status CallDesk::know_kept(const api::ReleasedCredential& credential) {
  const std::lock_guard lock(mutex_);
  if (!kept_.emplace(credential.name, sha256(credential.value.view())).second) return {};
  CHANCERY_TRY(known_->add(credential.value.view(), credential.name));
  return {};
}

CallAnswer CallDesk::call(const tools::Tool* tool, std::string_view name, const Presentation& agent,
                          std::string arguments, const std::stop_token& stop) {
  if (tool != nullptr && tools::may_be_served(*tool))
    return Call(*this, *tool, agent).run(std::move(arguments), stop);
  parts_.log.debug("a tool that is not there was called", {{"tool", name}});
  if (granted_scopes(agent).empty()) return not_granted();  // as for a tool that there is
  return answer(Kind::kUnknown, "unknown_tool",
                "there is no such tool: GET /v1/tools lists those that there are");
}

}  // namespace chancery::runtime
