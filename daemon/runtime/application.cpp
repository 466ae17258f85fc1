#include "daemon/runtime/application.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <unistd.h>

#include <chancery/token.hpp>

#include "daemon/telemetry/exposition.hpp"
#include "daemon/telemetry/process_figures.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::runtime {
namespace {

using json::Node;
using telemetry::Metric;
using Kind = CallAnswer::Kind;

constexpr std::string_view kTools = "/v1/tools";
constexpr std::string_view kReceipts = "/v1/receipts/";

rest::Response json_response(int status, const Node& node) {
  rest::Response response;
  response.status = status;
  response.body = json::to_jcs(node);
  return response;
}

// RFC 9110 section 11.1: the scheme is case-insensitive.
std::optional<std::string_view> token_of(const rest::Request& request) {
  const auto header = request.header("authorization");
  constexpr std::string_view kScheme = "dpop ";
  if (!header || header->size() <= kScheme.size()) return std::nullopt;
  const bool is_ours = std::ranges::equal(header->substr(0, kScheme.size()), kScheme, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
  return is_ours ? std::optional(header->substr(kScheme.size())) : std::nullopt;
}

Result<Presentation> presentation_of(const rest::Request& request) {
  const auto token = token_of(request);
  const auto proof = request.header("dpop");
  if (!token || !proof)
    return Error{ErrorCode::kUnauthenticated,
                 "send a chain and a proof: `Authorization: DPoP`, `Delegation-Chain` and `DPoP`"};
  Presentation out;
  if (const auto parents = request.header("delegation-chain")) {
    for (const std::string_view parent : split_chain(*parents)) out.chain.emplace_back(parent);
  }
  out.chain.emplace_back(*token);
  out.proof = *proof;
  return out;
}

Node findings_node(const std::vector<schema::Finding>& findings) {
  Node array = Node::array();
  for (const schema::Finding& finding : findings) {
    array.push_back(Node::object(
        {{"instance", finding.instance}, {"keyword", finding.keyword}, {"message", finding.message}}));
  }
  return array;
}

int status_of(Kind kind) {
  switch (kind) {
    case Kind::kDone:
      return 200;
    case Kind::kApproval:
      return 202;
    case Kind::kUnknown:
      return 404;
    case Kind::kInvalid:
      return 422;
    case Kind::kDenied:
      return 403;
    case Kind::kError:
    case Kind::kFailed:
      break;
  }
  return 502;
}

rest::Response response_of(const CallAnswer& answer) {
  Node node = Node::object({{"outcome", kind_name(answer.kind)}});
  const auto set = [&node](const char* name, const std::string& text) {
    if (!text.empty()) node.set(name, text);
  };
  const auto set_json = [&node](const char* name, const std::string& text) {
    if (text.empty()) return;
    const auto document = json::Document::parse(text);
    node.set(name, document ? Node::copy(document->root()) : Node(nullptr));
  };
  if (answer.kind != Kind::kDone) set("code", answer.code);
  set("message", answer.message);
  set("argument", answer.argument);
  if (!answer.findings.empty()) node.set("findings", findings_node(answer.findings));
  set_json("result", answer.result);
  set_json("decision", answer.decision);
  set("approval", answer.approval);
  if (!answer.approval.empty()) node.set("expires_at", answer.expires_at);
  set_json("document", answer.document);
  set("url", answer.url);
  set("permit", answer.permit);
  set_json("receipt", answer.receipt);
  return json_response(status_of(answer.kind), node);
}

Node tool_node(const tools::Tool& tool) {
  Node parameters = Node::object();
  for (const tools::ConstraintSource& source : tool.constraints)
    parameters.set(source.parameter, source.argument.text);
  return Node::object({{"name", tool.name},
                       {"description", tool.description},
                       {"scope", tool.scope},
                       {"risk", tools::risk_name(tool.risk)},
                       {"approval", tools::approval_name(tool.approval)},
                       {"answer", tools::speaks_mcp(tool) ? "mcp" : "json"},
                       {"arguments", Node::copy(tool.arguments.document())},
                       {"parameters", std::move(parameters)}});
}

Result<std::string> arguments_of(const rest::Request& request) {
  constexpr Error kWrong{ErrorCode::kMalformed, "the body is {\"arguments\": {…}}, as application/json"};
  const auto type = request.header("content-type");
  if (!type || !type->starts_with("application/json"))
    return Error{ErrorCode::kUnsupportedMediaType, "send the body as application/json"};
  const auto document =
      json::Document::parse_borrowed(request.body, {.max_depth = 40, .max_values = 1u << 16});
  if (!document) return document.error();
  const json::Value* const arguments = document->root().find("arguments");
  if (arguments == nullptr || !document->root().has_only({"arguments"})) return kWrong;
  return std::string(arguments->source());
}

rest::Response no_such_path() {
  return rest::problem(404, {ErrorCode::kNotFound, "there is no such path: see docs/protocol/runtime.md"});
}

// Of verification's steps, those behind the proof's.
bool is_proven(const api::Verification& verification) {
  const bool is_behind = verification.step == "7" || verification.step == "8";
  return verification.valid() || (is_behind && verification.outcome != "audience_mismatch");
}

std::vector<Metric> own_metrics(std::size_t tools, std::size_t waiting,
                                const telemetry::EdgeRefusals& refusals) {
  using enum Metric::Kind;
  const auto gauge = [](const char* name, const char* help, double value) {
    return Metric{name, help, kGauge, {{value}}};
  };
  Metric refused{"chancery_runtime_edge_refusals_total", "What was turned away before any route saw it.",
                 kCounter};
  for (std::size_t reason = 0; reason < telemetry::EdgeRefusals::kNames.size(); ++reason) {
    refused.samples.push_back({static_cast<double>(refusals.value(reason)),
                               {{"reason", std::string(telemetry::EdgeRefusals::kNames[reason])}}});
  }
  const telemetry::ProcessFigures process = telemetry::process_figures();
  return {gauge("chancery_runtime_tools", "Tools that are served.", static_cast<double>(tools)),
          gauge("chancery_runtime_receipts_waiting", "Receipts that wait for their signature.",
                static_cast<double>(waiting)),
          std::move(refused),
          gauge("process_start_time_seconds", "When the process was started.", process.started_at),
          gauge("process_resident_memory_bytes", "Memory that it has in use.", process.resident_octets),
          gauge("process_open_fds", "Descriptors that are open.", process.open_descriptors),
          gauge("process_max_fds", "Descriptors that may be open.", process.most_descriptors)};
}

}  // namespace

Application::Application(Parts parts, std::string url, std::vector<tools::Tool> tools)
    : parts_(parts), url_(std::move(url)) {
  use(std::move(tools));
}

void Application::use(std::vector<tools::Tool> tools) {
  auto next = std::make_shared<ToolSet>();
  for (tools::Tool& tool : tools) {
    std::string name = tool.name;
    next->emplace(std::move(name), std::move(tool));
  }
  const std::lock_guard lock(mutex_);
  tools_ = std::move(next);
}

std::shared_ptr<const Application::ToolSet> Application::tools() const {
  const std::lock_guard lock(mutex_);
  return tools_;
}

bool Application::may_block(std::string_view, std::string_view path) const { return path != "/healthz"; }

rest::Response Application::handle(rest::Request& request) {
  const std::string_view path = request.path;
  const bool is_get = request.method == "GET";
  if (path == "/healthz" && is_get) return json_response(200, Node::object({{"status", "alive"}}));
  if (path == "/readyz" && is_get) return show_readiness();
  if (path == "/metrics" && is_get) return show_metrics(request);
  if (path == kTools && is_get) return list(request);
  if (path.starts_with(kReceipts) && is_get) return show_receipt(path.substr(kReceipts.size()));
  const bool is_tool =
      path.starts_with(kTools) && path.size() > kTools.size() + 1 && path[kTools.size()] == '/';
  if (is_tool && request.method == "POST") return call(request, path.substr(kTools.size() + 1));
  return no_such_path();
}

rest::Response Application::call(const rest::Request& request, std::string_view name) {
  const auto began = std::chrono::steady_clock::now();
  if (stop_.stop_requested())
    return rest::problem(
        503, {ErrorCode::kShuttingDown, "the runtime is ending, and nothing was done: try again later"});
  const auto agent = presentation_of(request);
  if (!agent) return rest::problem(401, agent.error());
  auto arguments = arguments_of(request);
  if (!arguments) return rest::problem(arguments.error());
  const auto snapshot = tools();  // the call's own, whatever is read anew meanwhile
  const auto found = snapshot->find(name);
  const tools::Tool* const tool = found == snapshot->end() ? nullptr : &found->second;
  const CallAnswer answer = parts_.desk.call(tool, name, *agent, *std::move(arguments), stop_.get_token());
  if (tool == nullptr) {
    figures_.add_unknown();
  } else {
    figures_.add(tool->name, answer, std::chrono::steady_clock::now() - began);
  }
  return response_of(answer);
}

// What the chain grants, whatever bounds it has: a list is no permission. The proof is looked at with any tool's scope, and
// not used up.
Result<std::vector<std::string>> Application::scopes_of(const rest::Request& request,
                                                        const ToolSet& tools) const {
  if (tools.empty()) return std::vector<std::string>();
  CHANCERY_ASSIGN(const Presentation agent, presentation_of(request));
  api::VerifyChain question{agent.chain, api::Action{url_, tools.begin()->second.scope, "{}", {}}};
  question.request->dpop = DpopPresentation{agent.proof, request.method, url_ + request.path, {}};
  const auto proven = parts_.daemon.verify(question);
  if (!proven) return proven.error().error;
  const auto verified = parts_.daemon.verify({agent.chain, {}, {}});
  if (!verified) return verified.error().error;
  if (is_proven(*proven) && verified->valid()) return scopes_at(url_, *verified);
  return Error{ErrorCode::kChainRefused,
               "the chain, or the proof, does not count: `chancery explain` says why"};
}

rest::Response Application::list(const rest::Request& request) const {
  const auto snapshot = tools();
  const auto scopes = scopes_of(request, *snapshot);
  if (!scopes) {
    const bool is_ours =
        scopes.error().code == ErrorCode::kConnectFailed || scopes.error().code == ErrorCode::kTimeout;
    return is_ours ? rest::problem(503, scopes.error()) : rest::problem(scopes.error());
  }
  Node array = Node::array();
  for (const auto& [name, tool] : *snapshot) {
    const bool is_granted = std::ranges::any_of(*scopes, [&needed = tool](const std::string& granted) {
      return scope_covers(granted, needed.scope);
    });
    if (is_granted && parts_.desk.is_served(tool)) array.push_back(tool_node(tool));
  }
  return json_response(200, Node::object({{"tools", std::move(array)}}));
}

rest::Response Application::show_readiness() const {
  std::vector<std::string_view> missing = parts_.readiness.missing(std::chrono::steady_clock::now());
  const std::size_t count = tools()->size();
  if (count == 0) missing.emplace_back("tools");
  if (stop_.stop_requested()) missing.emplace_back("ending");
  Node names = Node::array();
  for (const std::string_view name : missing) names.push_back(name);
  return json_response(
      missing.empty() ? 200 : 503,
      Node::object({{"missing", std::move(names)}, {"ready", missing.empty()}, {"tools", count}}));
}

// An agent that may connect is not to learn what others do: for root, and for the user that the runtime runs as.
rest::Response Application::show_metrics(const rest::Request& request) const {
  const auto& peer = request.peer.credentials;
  if (!peer) return no_such_path();
  if (peer->uid != 0 && peer->uid != ::geteuid())
    return rest::problem(403,
                         {ErrorCode::kForbidden, "only root, or the runtime's own user, may read metrics"});
  std::vector<telemetry::Metric> metrics = figures_.metrics();
  for (telemetry::Metric& metric : own_metrics(tools()->size(), parts_.receipts.waiting(), parts_.refusals))
    metrics.push_back(std::move(metric));
  return {200, telemetry::kExpositionType, telemetry::exposition(metrics), {}};
}

rest::Response Application::show_receipt(std::string_view permit) const {
  const auto found = parts_.receipts.find(permit);
  if (!found)
    return rest::problem(404, {ErrorCode::kNotFound, "no such receipt: the last ten thousand are kept"});
  const auto document = json::Document::parse(found->receipt);
  Node node = Node::object({{"receipt", document ? Node::copy(document->root()) : Node(nullptr)}});
  if (!found->jws.empty()) node.set("signed", found->jws);
  return json_response(found->jws.empty() ? 202 : 200, node);
}

}  // namespace chancery::runtime
