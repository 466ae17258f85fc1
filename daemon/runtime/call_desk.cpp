#include "daemon/runtime/call_desk.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

#include <chancery/token.hpp>

#include "daemon/runtime/credential_place.hpp"
#include "daemon/runtime/tools/response.hpp"
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

OutboundLimits limits_of(const tools::HttpLimits& declared) {
  OutboundLimits limits;
  limits.max_response = declared.max_response;
  limits.timeout = declared.timeout;
  limits.slow_time = std::chrono::ceil<std::chrono::seconds>(declared.timeout);  // it may think as long
  limits.connect_timeout = std::min(limits.connect_timeout, declared.timeout);
  return limits;
}

Result<OutboundRequest> outbound_of(const tools::HttpUpstream& upstream, const tools::HttpRequest& composed,
                                    const std::string& ca_file) {
  OutboundRequest request;
  request.method = composed.method;
  request.url = composed.url.text();
  for (const auto& [name, value] : composed.headers) request.headers.push_back({name, value});
  request.body = composed.body;
  for (const std::string& range : upstream.limits.allow_addresses) {
    CHANCERY_ASSIGN(AddressRange allowed, AddressRange::parse(range));
    request.allowed.push_back(allowed);
  }
  request.http_allowed = composed.url.scheme == "http";
  request.redirects =
      upstream.limits.redirects == tools::Redirects::kNone ? Redirects::kNone : Redirects::kSameOrigin;
  request.limits = limits_of(upstream.limits);
  request.ca_file = ca_file;
  return request;
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
  Call(const CallDesk& desk, const tools::Tool& tool, const Presentation& agent)
      : desk_(desk), tool_(tool), agent_(agent) {}

  CallAnswer run(std::string arguments, const std::stop_token& stop) {
    if (auto refused = check(std::move(arguments))) return *std::move(refused);
    if (tool_.approval == tools::Approval::kRequired)
      return desk_.is_granted(tool_, agent_) ? approval() : not_granted();
    if (auto refused = permit()) return *std::move(refused);
    return finish(make(stop));
  }

 private:
  /// What the upstream answered, or what came in between.
  struct Made {
    std::string status;    ///< as api::CallResult has it
    std::string upstream;  ///< as it came; empty: nothing
    CallAnswer answer;
    Counts redactions{};
    bool exposed = false;
  };

  std::optional<CallAnswer> check(std::string text);
  std::optional<CallAnswer> refuse(CallAnswer refusal, const char* reason, const Counts& hits = {});
  CallAnswer approval() const;
  std::optional<CallAnswer> permit();
  Made make(const std::stop_token& stop);
  Made take(const OutboundResponse& response);
  CallAnswer finish(Made made);

  const CallDesk& desk_;
  const tools::Tool& tool_;
  const Presentation& agent_;
  std::optional<tools::PreparedCall> prepared_;
  std::optional<api::Permit> permit_;
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

// A daemon that is away records nothing, and nothing was done.
std::optional<CallAnswer> CallDesk::Call::refuse(CallAnswer refusal, const char* reason, const Counts& hits) {
  if (!desk_.is_granted(tool_, agent_)) return not_granted();
  const auto leaf = Token::parse(agent_.chain.back());
  const std::string token = leaf ? hex_encode(leaf->digest()) : std::string();
  const auto recorded = desk_.parts_.daemon.report_refusal({tool_.name, reason, token, hits});
  if (!recorded) desk_.parts_.log.warning("a refused call could not be recorded", recorded.error().error);
  return refusal;
}

CallAnswer CallDesk::Call::approval() const {
  CallAnswer out =
      answer(Kind::kApproval, "approval_required",
             "this takes an approval by a person, which cannot be asked for yet: nothing was done");
  out.document = json::to_jcs(Node::object({{"arguments", Node::canonical(prepared_->arguments)},
                                            {"risk", tools::risk_name(tool_.risk)},
                                            {"scope", tool_.scope},
                                            {"tool", tool_.name}}));
  return out;
}

std::optional<CallAnswer> CallDesk::Call::permit() {
  api::AskPermit ask;
  ask.action.chain = agent_.chain;
  ask.action.proof = agent_.proof;
  ask.action.method = "POST";
  ask.action.uri = desk_.options_.url + "/v1/tools/" + tool_.name;
  ask.action.audience = desk_.options_.url;
  ask.action.scope = tool_.scope;
  ask.action.params = params_of(*prepared_);
  const auto& limits = std::get<tools::HttpUpstream>(tool_.upstream).limits;
  ask.action.reserve = std::chrono::duration_cast<std::chrono::seconds>(limits.timeout) + kReserveBeyond;
  ask.tool = tool_.name;
  ask.credential = tool_.credential;
  ask.arguments_sha256 = hex_encode(prepared_->arguments_sha256);
  ask.release = true;
  auto permit = desk_.parts_.daemon.ask_permit(ask);
  if (!permit) {
    desk_.parts_.log.warning("no permit could be had", permit.error().error, {{"tool", tool_.name}});
    if (!permit.error().refused()) return answer(Kind::kFailed, "daemon_unavailable", kUnavailable);
    return answer(Kind::kFailed, permit.error().code,
                  "the daemon did not give what the call needs, and nothing was done: its log says why");
  }
  if (!permit->decision.permitted) {
    CallAnswer out = answer(Kind::kDenied, permit->decision.outcome, permit->decision.reason);
    out.decision = wire::write(permit->decision);
    return out;
  }
  if (permit->credential) desk_.know(*permit->credential);
  permit_ = *std::move(permit);
  return std::nullopt;
}

CallDesk::Call::Made CallDesk::Call::make(const std::stop_token& stop) {
  const auto& upstream = std::get<tools::HttpUpstream>(tool_.upstream);
  auto request =
      outbound_of(upstream, std::get<tools::HttpRequest>(prepared_->request), desk_.options_.ca_file);
  // What may have reached the upstream counts as spent.
  const auto failed = [](const Error& error) {
    return Made{
        was_never_sent(error) ? "failed" : "error", {}, answer(Kind::kFailed, "upstream_failed", error.what)};
  };
  if (!request) return failed(request.error());
  if (permit_->credential && upstream.credential_in) {
    const Status placed = place_credential(*upstream.credential_in, permit_->credential->value, *request);
    if (!placed) return failed(placed.error());
  }
  const auto response = desk_.parts_.outbound.call(*request, stop);
  permit_->credential.reset();
  if (!response) return failed(response.error());
  return take(*response);
}

// Of an upstream that fails the same fields pass as of one that does not.
CallDesk::Call::Made CallDesk::Call::take(const OutboundResponse& response) {
  Made made;
  made.upstream = response.body;
  // Also where no field that may pass has it: whoever echoes a credential shows it to others.
  made.exposed = has_known(desk_.finder_.find(response.body), tool_.credential);
  const auto document = json::Document::parse(response.body, kArgumentLimits);
  const bool is_good = response.status >= 200 && response.status < 300;
  if (!document && (is_good && !response.body.empty())) {
    made.status = "error";
    made.answer = answer(Kind::kError, "upstream_answer",
                         "the upstream's answer is no JSON that can be read, and nothing of it passes");
    return made;
  }
  const std::string shaped = document ? tools::shape_response(tool_, document->root()) : "null";
  redaction::Redacted redacted = desk_.finder_.redact_json(shaped);
  made.redactions = counts_of(redacted.hits);
  made.status = is_good ? "done" : "error";
  made.answer = is_good ? answer(Kind::kDone, "done", {})
                        : answer(Kind::kError, "upstream_error",
                                 "the upstream answered with status " + std::to_string(response.status));
  made.answer.result = std::move(redacted.text);
  return made;
}

// No record, no answer.
CallAnswer CallDesk::Call::finish(Made made) {
  api::CallResult result;
  result.status = made.status;
  if (!made.upstream.empty()) result.upstream_sha256 = digest_of(made.upstream);
  result.result_sha256 = digest_of(made.answer.result);
  result.redactions = std::move(made.redactions);
  result.exposed = made.exposed;
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
      known_(std::make_shared<redaction::KnownSecrets>()),
      finder_(known_) {}

// The proof is the daemon's to judge, with the arguments: here it is not known yet which they are.
bool CallDesk::is_granted(const tools::Tool& tool, const Presentation& agent) const {
  const auto verified = parts_.verifier.verify({agent.chain, {}, {}});
  if (!verified) return false;
  return std::ranges::any_of(scopes_at(options_.url, *verified), [&tool](const std::string& granted) {
    return scope_covers(granted, tool.scope);
  });
}

void CallDesk::know(const api::ReleasedCredential& credential) const {
  const std::lock_guard lock(mutex_);
  if (!versions_.emplace(credential.name, credential.version).second) return;
  if (const Status known = known_->add(credential.value.view(), credential.name); !known)
    parts_.log.warning("a credential is too short, or too long, to be looked for in answers", known.error(),
                       {{"credential", credential.name}});
}

CallAnswer CallDesk::call(const tools::Tool* tool, std::string_view name, const Presentation& agent,
                          std::string arguments, const std::stop_token& stop) {
  if (tool != nullptr && std::holds_alternative<tools::HttpUpstream>(tool->upstream))
    return Call(*this, *tool, agent).run(std::move(arguments), stop);
  parts_.log.info("a tool that is not there was called", {{"tool", name}});
  return answer(Kind::kUnknown, "unknown_tool",
                "there is no such tool: GET /v1/tools lists those that there are");
}

}  // namespace chancery::runtime
