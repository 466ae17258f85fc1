#include "sdk/client/tool_messages.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <chancery/proof.hpp>

#include "sdk/json/pointer.hpp"
#include "sdk/wire/fields.hpp"

namespace chancery::client {
namespace {

using json::Document;
using json::Node;
using json::Value;

constexpr const char* kBadTool = "a tool has `name`, `scope`, `arguments` and `parameters`";
constexpr const char* kBadOutcome = "the outcome of a call is one that docs/protocol/runtime.md names";

constexpr std::array<std::string_view, 7> kOutcomes{
    "done", "error", "unknown", "invalid", "denied", "approval_required", "failed"};

// A value as it stands there; empty when it does not.
std::string source_of(const Value& object, std::string_view name) {
  const Value* const value = object.find(name);
  return value == nullptr ? std::string() : std::string(value->source());
}

Result<OfferedTool> tool_from(const Value& value) {
  OfferedTool out;
  CHANCERY_ASSIGN(out.name, wire::need_text(value, "name", kBadTool));
  CHANCERY_ASSIGN(out.scope, wire::need_text(value, "scope", kBadTool));
  CHANCERY_ASSIGN(out.description, wire::text_or_empty(value, "description", kBadTool));
  CHANCERY_ASSIGN(out.risk, wire::text_or_empty(value, "risk", kBadTool));
  CHANCERY_ASSIGN(out.approval, wire::text_or_empty(value, "approval", kBadTool));
  CHANCERY_ASSIGN(const std::string answer, wire::text_or_empty(value, "answer", kBadTool));
  out.answers_mcp = answer == "mcp";
  const Value* const schema = value.find("arguments");
  const Value* const parameters = value.find("parameters");
  if (schema == nullptr || !schema->is(Value::Kind::kObject)) return wire::malformed(kBadTool);
  out.arguments = schema->source();
  if (parameters == nullptr || !parameters->is(Value::Kind::kObject)) return wire::malformed(kBadTool);
  for (const json::Member& parameter : parameters->members()) {
    const auto pointer = parameter.value.string();
    if (!pointer || !json::split_pointer(*pointer)) return wire::malformed(kBadTool);
    out.parameters.emplace(parameter.name, *pointer);
  }
  return out;
}

}  // namespace

Result<std::vector<OfferedTool>> read_tools(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  return wire::items_from<OfferedTool>(document.root(), "tools", "a list of tools is an array `tools`",
                                       tool_from);
}

Result<ToolOutcome> read_outcome(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  const auto kind =
      std::ranges::find(kOutcomes, wire::need_text(root, "outcome", kBadOutcome).value_or(std::string()));
  if (kind == kOutcomes.end()) return wire::malformed(kBadOutcome);
  ToolOutcome out;
  out.kind = static_cast<ToolOutcome::Kind>(kind - kOutcomes.begin());
  CHANCERY_ASSIGN(out.code, wire::text_or_empty(root, "code", kBadOutcome));
  CHANCERY_ASSIGN(out.message, wire::text_or_empty(root, "message", kBadOutcome));
  CHANCERY_ASSIGN(out.argument, wire::text_or_empty(root, "argument", kBadOutcome));
  CHANCERY_ASSIGN(out.permit, wire::text_or_empty(root, "permit", kBadOutcome));
  CHANCERY_ASSIGN(out.approval, wire::text_or_empty(root, "approval", kBadOutcome));
  CHANCERY_ASSIGN(out.url, wire::text_or_empty(root, "url", kBadOutcome));
  CHANCERY_ASSIGN(const auto expires_at, wire::integer(root, "expires_at", wire::kAnyTime, kBadOutcome));
  out.expires_at = expires_at.value_or(0);
  out.findings = source_of(root, "findings");
  out.result = source_of(root, "result");
  out.decision = source_of(root, "decision");
  out.receipt = source_of(root, "receipt");
  out.document = source_of(root, "document");
  return out;
}

std::string call_text(std::string arguments) {
  return json::to_jcs(Node::object({{"arguments", Node::canonical(std::move(arguments))}}));
}

Result<std::string> call_digest(const OfferedTool& tool, std::string_view arguments) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(arguments));
  const Value& root = document.root();
  if (!root.is(Value::Kind::kObject)) return wire::malformed("the arguments of a tool are a JSON object");
  Node params = Node::object();
  for (const auto& [name, pointer] : tool.parameters) {
    const auto tokens = json::split_pointer(pointer);
    if (!tokens) return wire::malformed(kBadTool);
    const Value* const value = json::value_at(root, *tokens);
    if (value != nullptr) params.set(name, Node::copy(*value));
  }
  for (const json::Member& argument : root.members()) {
    const auto parameter = tool.parameters.find(std::string(argument.name));
    const bool is_taken = parameter != tool.parameters.end() &&
                          json::value_at(root, *json::split_pointer(parameter->second)) != nullptr;
    if (!is_taken) params.set(std::string(argument.name), Node::copy(argument.value));
  }
  CHANCERY_ASSIGN(const Parameters parameters, parse_parameters(json::to_jcs(params)));
  return action_digest(tool.scope, parameters);
}

}  // namespace chancery::client
