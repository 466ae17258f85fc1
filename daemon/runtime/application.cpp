#include "daemon/runtime/application.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include <chancery/token.hpp>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::runtime {
namespace {

using json::Node;
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

std::string_view kind_name(Kind kind) {
  constexpr std::array<std::string_view, 7> kNames{
      "done", "error", "unknown", "invalid", "denied", "approval_required", "failed"};
  return kNames[static_cast<std::size_t>(kind)];
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

// Of verification's steps, those behind the proof's.
bool is_proven(const api::Verification& verification) {
  const bool is_behind = verification.step == "7" || verification.step == "8";
  return verification.valid() || (is_behind && verification.outcome != "audience_mismatch");
}

}  // namespace

Application::Application(std::vector<tools::Tool> tools, const Client& daemon, CallDesk& desk,
                         const Receipts& receipts, std::string url)
    : tools_([&] {
        std::map<std::string, tools::Tool, std::less<>> out;
        for (tools::Tool& tool : tools) {
          std::string name = tool.name;
          out.emplace(std::move(name), std::move(tool));
        }
        return out;
      }()),
      daemon_(daemon),
      desk_(desk),
      receipts_(receipts),
      url_(std::move(url)) {}

bool Application::may_block(std::string_view, std::string_view path) const { return path != "/healthz"; }

rest::Response Application::handle(rest::Request& request) {
  if (request.path == "/healthz" && request.method == "GET")
    return json_response(200, Node::object({{"status", "alive"}}));
  if (request.path == kTools && request.method == "GET") return list(request);
  if (request.path.starts_with(kReceipts) && request.method == "GET")
    return show_receipt(std::string_view(request.path).substr(kReceipts.size()));
  const bool is_tool = request.path.starts_with(kTools) && request.path.size() > kTools.size() + 1 &&
                       request.path[kTools.size()] == '/';
  if (is_tool && request.method == "POST")
    return call(request, std::string_view(request.path).substr(kTools.size() + 1));
  return rest::problem(404, {ErrorCode::kNotFound, "there is no such path: see docs/protocol/runtime.md"});
}

rest::Response Application::call(const rest::Request& request, std::string_view name) const {
  const auto agent = presentation_of(request);
  if (!agent) return rest::problem(401, agent.error());
  auto arguments = arguments_of(request);
  if (!arguments) return rest::problem(arguments.error());
  const auto tool = tools_.find(name);
  return response_of(
      desk_.call(tool == tools_.end() ? nullptr : &tool->second, name, *agent, *std::move(arguments)));
}

// What the chain grants, whatever bounds it has: a list is no permission. The proof is looked at with any tool's scope, and
// not used up.
Result<std::vector<std::string>> Application::scopes_of(const rest::Request& request) const {
  if (tools_.empty()) return std::vector<std::string>();
  CHANCERY_ASSIGN(const Presentation agent, presentation_of(request));
  api::VerifyChain question{agent.chain, api::Action{url_, tools_.begin()->second.scope, "{}", {}}};
  question.request->dpop = DpopPresentation{agent.proof, request.method, url_ + request.path, {}};
  const auto proven = daemon_.verify(question);
  if (!proven) return proven.error().error;
  const auto verified = daemon_.verify({agent.chain, {}, {}});
  if (!verified) return verified.error().error;
  if (is_proven(*proven) && verified->valid()) return scopes_at(url_, *verified);
  return Error{ErrorCode::kChainRefused,
               "the chain, or the proof, does not count: `chancery explain` says why"};
}

rest::Response Application::list(const rest::Request& request) const {
  const auto scopes = scopes_of(request);
  if (!scopes) {
    const bool is_ours =
        scopes.error().code == ErrorCode::kConnectFailed || scopes.error().code == ErrorCode::kTimeout;
    return is_ours ? rest::problem(503, scopes.error()) : rest::problem(scopes.error());
  }
  Node array = Node::array();
  for (const auto& [name, tool] : tools_) {
    const bool is_granted = std::ranges::any_of(
        *scopes, [&tool](const std::string& granted) { return scope_covers(granted, tool.scope); });
    if (is_granted && desk_.is_served(tool)) array.push_back(tool_node(tool));
  }
  return json_response(200, Node::object({{"tools", std::move(array)}}));
}

rest::Response Application::show_receipt(std::string_view permit) const {
  const auto found = receipts_.find(permit);
  if (!found)
    return rest::problem(404, {ErrorCode::kNotFound, "no such receipt: the last ten thousand are kept"});
  const auto document = json::Document::parse(found->receipt);
  Node node = Node::object({{"receipt", document ? Node::copy(document->root()) : Node(nullptr)}});
  if (!found->jws.empty()) node.set("signed", found->jws);
  return json_response(found->jws.empty() ? 202 : 200, node);
}

}  // namespace chancery::runtime
