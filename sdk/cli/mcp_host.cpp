#include "sdk/cli/mcp_host.hpp"

#include <utility>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/mcp/content.hpp"

namespace chancery::cli {
namespace {

using json::Node;
using json::Value;
using mcp::RefusalKind;
using mcp::ToolDone;
using mcp::ToolRefused;
using Kind = ToolOutcome::Kind;

ToolRefused unreadable() {
  return {RefusalKind::kFailed, "bad_response",
          "the call was made, and what the runtime answered cannot be read"};
}

// Any JSON as the result of a tool. A text is its own content; so is nothing, which is no structured result.
Result<ToolDone> json_result(const std::string& json) {
  ToolDone done;
  if (json.empty()) return done;
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(json));
  const Value& root = document.root();
  if (root.is(Value::Kind::kNull)) return done;
  if (const auto text = root.string()) {
    done.content = json::to_jcs(Node::array({mcp::text_content(*text)}));
  } else {
    done.structured = json;
  }
  return done;
}

// What an MCP server answered, and the runtime let through.
Result<ToolDone> mcp_result(const std::string& json) {
  constexpr Error kWrong{ErrorCode::kMalformed, "an MCP tool's result has `content`, an array"};
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(json));
  const Value& root = document.root();
  ToolDone done;
  const Value* const structured = root.find("structuredContent");
  if (structured != nullptr) done.structured = structured->source();
  const Value* const content = root.find("content");
  if (content != nullptr) done.content = content->source();
  if (content == nullptr && structured == nullptr) return kWrong;
  const Value* const is_error = root.find("isError");
  if (is_error != nullptr) done.is_error = is_error->boolean().value_or(true);
  return done;
}

// A tool that failed says how, and then what its upstream answered, as text: it need not fit any schema.
ToolDone failed_tool(const ToolOutcome& outcome) {
  Node content = Node::array({mcp::text_content(outcome.message)});
  if (!outcome.result.empty() && outcome.result != "null")
    content.push_back(mcp::text_content(outcome.result));
  return {json::to_jcs(content), {}, true};
}

mcp::ToolAnswer done_answer(const ToolOutcome& outcome) {
  const auto done = outcome.is_mcp_result ? mcp_result(outcome.result) : json_result(outcome.result);
  if (!done) return unreadable();
  return *done;
}

// A model can mend what it is told the place of.
ToolRefused bad_arguments(const ToolOutcome& outcome) {
  std::string message = outcome.message;
  if (!outcome.argument.empty()) message += " (at " + outcome.argument + ")";
  if (!outcome.findings.empty()) message += ": " + outcome.findings;
  return {RefusalKind::kBadArgument, outcome.code, std::move(message)};
}

std::string member_of(const Value& object, std::string_view name) {
  const Value* const member = object.find(name);
  return member == nullptr ? std::string() : std::string(member->string().value_or(""));
}

// What is beyond the agent's own bound, and the bound. Where another's in the chain is in the way, it is not told.
ToolRefused denied(const ToolOutcome& outcome) {
  ToolRefused out{RefusalKind::kDenied, outcome.code, outcome.message};
  const auto decision = json::Document::parse_borrowed(outcome.decision);
  if (!decision) return out;
  const std::string expected = member_of(decision->root(), "expected");
  const std::string found = member_of(decision->root(), "found");
  const std::string remedy = member_of(decision->root(), "remedy");
  if (!expected.empty() && !found.empty()) out.message += " (found " + found + ", expected " + expected + ")";
  if (!remedy.empty()) out.message += ": " + remedy;
  return out;
}

mcp::ToolAnswer pending_answer(const ToolOutcome& outcome) {
  if (outcome.approval.empty() || outcome.document.empty())
    return ToolRefused{RefusalKind::kDenied, outcome.code, outcome.message};
  return mcp::ToolPending{outcome.approval, outcome.url, outcome.document};
}

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::kDone:
      return "done";
    case Kind::kError:
      return "error";
    case Kind::kUnknown:
      return "unknown";
    case Kind::kInvalid:
      return "invalid";
    case Kind::kDenied:
      return "denied";
    case Kind::kApproval:
      return "approval required";
    case Kind::kFailed:
      return "failed";
  }
  return "failed";
}

// What the log has of a call: the permit leads to the rest (`chancery trace`).
std::string line_of(const std::string& tool, const ToolOutcome& outcome) {
  std::string line = tool + ": " + std::string(name_of(outcome.kind));
  if (!outcome.code.empty()) line += ", " + outcome.code;
  if (!outcome.permit.empty()) line += ", permit " + outcome.permit;
  if (!outcome.approval.empty()) line += ", approval " + outcome.approval;
  return line;
}

std::string reason_of(const ClientError& error) {
  return error.refused() ? error.detail + " (" + error.code + ")" : error.error.what;
}

}  // namespace

mcp::ToolAnswer tool_answer(const ToolOutcome& outcome) {
  switch (outcome.kind) {
    case Kind::kDone:
      return done_answer(outcome);
    case Kind::kError:
      if (outcome.is_mcp_result) return done_answer(outcome);
      return failed_tool(outcome);
    case Kind::kUnknown:
      return ToolRefused{RefusalKind::kUnknownTool, outcome.code, outcome.message};
    case Kind::kInvalid:
      return bad_arguments(outcome);
    case Kind::kDenied:
      return denied(outcome);
    case Kind::kApproval:
      return pending_answer(outcome);
    case Kind::kFailed:
      break;
  }
  return ToolRefused{RefusalKind::kFailed, outcome.code, outcome.message};
}

mcp::ToolAnswer tool_answer(const ClientError& error) {
  return ToolRefused{RefusalKind::kFailed,
                     error.refused() ? error.code : std::string(error_name(error.error.code)),
                     reason_of(error)};
}

mcp::Tool mcp_tool(const OfferedTool& tool) {
  mcp::Tool out;
  out.name = tool.name;
  if (!tool.description.empty()) out.description = tool.description;
  out.input_schema = tool.arguments;
  return out;
}

Result<std::vector<mcp::Tool>> RuntimeHost::list(const mcp::Caller&, const std::stop_token& cancelled) {
  const auto tools = tools_.list(cancelled);
  if (!tools) {
    log_("the tools cannot be listed: " + reason_of(tools.error()));
    return tools.error().error;
  }
  std::vector<mcp::Tool> out;
  for (const OfferedTool& tool : *tools) out.push_back(mcp_tool(tool));
  return out;
}

mcp::ToolAnswer RuntimeHost::call(const mcp::Caller&, const mcp::ToolCall& call,
                                  mcp::CallProgress& progress) {
  const auto outcome = tools_.call(call.name, call.arguments, progress.cancelled());
  if (!outcome) {
    log_(call.name + ": " + reason_of(outcome.error()));
    return tool_answer(outcome.error());
  }
  log_(line_of(call.name, *outcome));
  return tool_answer(*outcome);
}

}  // namespace chancery::cli
