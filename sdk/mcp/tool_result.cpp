#include "sdk/mcp/tool_result.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "sdk/mcp/content.hpp"
#include "sdk/mcp/text_rules.hpp"

namespace chancery::mcp {
namespace {

using json::Node;
using json::Value;

constexpr std::size_t kMaxRequestName = 256;
constexpr std::size_t kMaxUrl = 2048;

constexpr Error kBadRequestName{ErrorCode::kMalformed,
                                "a pending request's name is 1 to 256 visible ASCII characters"};
constexpr Error kBadDocument{ErrorCode::kMalformed, "a pending request's document is a JSON object"};

// What programs read of a call that waits.
Result<Node> request_node(const ToolPending& pending) {
  if (!is_visible_ascii(pending.request, kMaxRequestName)) return kBadRequestName;
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(pending.document));
  if (!document.root().is(Value::Kind::kObject)) return kBadDocument;
  Node node = Node::object({{"request", pending.request}, {"document", Node::copy(document.root())}});
  if (has_page(pending)) node.set("url", pending.url);
  return node;
}

std::string instruction(const ToolPending& pending) {
  std::string text = "This call was not made: it waits for an approval (request " + pending.request + "). ";
  if (has_page(pending)) text += "Somebody who may decides at " + pending.url + ". ";
  return text + "When it is approved, make the same call with the same arguments again.";
}

Node error_node(std::string_view text, Node meta) {
  return Node::object(
      {{"content", Node::array({text_content(text)})}, {"isError", true}, {"_meta", std::move(meta)}});
}

std::string_view kind_name(RefusalKind kind) {
  switch (kind) {
    case RefusalKind::kUnknownTool:
      return "unknown_tool";
    case RefusalKind::kDenied:
      return "denied";
    case RefusalKind::kBadArgument:
      return "bad_argument";
    case RefusalKind::kFailed:
      return "failed";
  }
  return "failed";
}

}  // namespace

bool has_page(const ToolPending& pending) noexcept {
  constexpr std::array<std::string_view, 4> kBegins{
      "https://", "http://localhost:", "http://127.0.0.1:", "http://[::1]:"};
  return is_visible_ascii(pending.url, kMaxUrl) && std::ranges::any_of(kBegins, [&](std::string_view begin) {
           return pending.url.size() > begin.size() && pending.url.starts_with(begin);
         });
}

Result<Node> done_node(const ToolDone& done, SchemaScope scope) {
  CHANCERY_ASSIGN(const json::Document content, json::Document::parse_borrowed(done.content));
  CHANCERY_ASSIGN(Node blocks, content_node(content.root()));
  Node result = Node::object();
  if (done.structured) {
    CHANCERY_ASSIGN(const json::Document value, json::Document::parse_borrowed(*done.structured));
    if (content.root().items().empty()) blocks.push_back(text_content(json::to_jcs(value.root())));
    const bool fits = scope == SchemaScope::kAnyValue || value.root().is(Value::Kind::kObject);
    if (fits) result.set("structuredContent", Node::copy(value.root()));
  }
  result.set("content", std::move(blocks));
  if (done.is_error) result.set("isError", true);
  return result;
}

Node refused_node(const ToolRefused& refused, Node meta) {
  meta.set("chancery/refusal", Node::object({{"code", refused.code}, {"kind", kind_name(refused.kind)}}));
  return error_node(refused.message, std::move(meta));
}

Result<Node> pending_node(const ToolPending& pending, Node meta) {
  CHANCERY_ASSIGN(Node request, request_node(pending));
  meta.set("chancery/pending", std::move(request));
  return error_node(instruction(pending), std::move(meta));
}

Result<Node> input_required_node(const ToolPending& pending, Node meta) {
  CHANCERY_ASSIGN(Node request, request_node(pending));
  meta.set("chancery/pending", std::move(request));
  Node params = Node::object(
      {{"mode", "url"},
       {"message", "A call of this agent waits for an approval (request " + pending.request + ")."},
       {"url", pending.url}});
  Node page = Node::object({{"method", "elicitation/create"}, {"params", std::move(params)}});
  return Node::object({{"resultType", "input_required"},
                       {"inputRequests", Node::object({{"approval", std::move(page)}})},
                       {"requestState", pending.request},
                       {"_meta", std::move(meta)}});
}

}  // namespace chancery::mcp
