#include "daemon/runtime/upstreams/mcp_result.hpp"

#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "daemon/runtime/tools/response.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/mcp/content.hpp"
#include "sdk/mcp/text_rules.hpp"

namespace chancery::runtime {
namespace {

using json::Node;
using json::Value;
using redaction::Hit;
using redaction::Redacted;
using redaction::SecretFinder;

constexpr std::size_t kLongestRefusal = 1024;
constexpr const char* kInsteadOfMedia = "[redacted]";

std::string with_type(const Value& block, std::string_view type) {
  Node out = Node::object({{"type", type}});
  for (const json::Member& member : block.members()) {
    if (member.name != "type") out.set(std::string(member.name), Node::copy(member.value));
  }
  return json::to_jcs(out);
}

// Blocks and items of the list that was cut down are the same ones: only their members went.
std::vector<std::string> whole_blocks(const Value& content, const Value* before) {
  std::vector<std::string> out;
  if (before == nullptr || before->items().size() != content.items().size()) return out;
  for (std::size_t i = 0; i < content.items().size(); ++i) {
    const Value& block = content.items()[i];
    const Value* const type = before->items()[i].find("type");
    if (!block.is(Value::Kind::kObject) || type == nullptr || !type->string()) continue;
    std::string text = with_type(block, *type->string());
    const auto one = json::Document::parse("[" + text + "]");
    if (one && mcp::content_node(one->root())) out.push_back(std::move(text));
  }
  return out;
}

void append(std::vector<Hit>& all, std::vector<Hit> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

/// Rewrites a block: every text in it as JSON if it is JSON, else as text.
class BlockRedaction {
 public:
  BlockRedaction(const SecretFinder& finder, McpAnswer kind) : finder_(finder), kind_(kind) {}

  [[nodiscard]] Node redacted(const Value& block) {
    Node out = Node::object();
    for (const json::Member& member : block.members()) {
      const std::string name(member.name);
      const auto text = member.value.string();
      if (member.value.is(Value::Kind::kObject)) {
        out.set(name, redacted(member.value));
      } else if (!text || name == "type") {
        out.set(name, Node::copy(member.value));
      } else {
        out.set(name, redacted_text(*text, name == "data" || name == "blob"));
      }
    }
    return out;
  }
  [[nodiscard]] bool has_broken_media() const noexcept { return has_broken_media_; }
  [[nodiscard]] std::vector<Hit> take_hits() { return std::exchange(hits_, {}); }

 private:
  std::string redacted_text(std::string_view text, bool is_media) {
    Redacted out = is_media ? finder_.redact(text) : finder_.redact_json(text);
    has_broken_media_ = has_broken_media_ || (is_media && !out.hits.empty());
    append(hits_, std::move(out.hits));
    if (kind_ == McpAnswer::kRefusal) return mcp::printable_text(out.text, kLongestRefusal);
    return std::move(out.text);
  }

  const SecretFinder& finder_;
  const McpAnswer kind_;
  std::vector<Hit> hits_;
  bool has_broken_media_ = false;
};

Node redacted_block(const std::string& text, const SecretFinder& finder, McpAnswer kind,
                    std::vector<Hit>& hits) {
  const auto block = json::Document::parse_borrowed(text);
  if (!block) return mcp::text_content(kInsteadOfMedia);
  BlockRedaction redaction(finder, kind);
  Node out = redaction.redacted(block->root());
  append(hits, redaction.take_hits());
  if (redaction.has_broken_media()) return mcp::text_content(kInsteadOfMedia);
  return out;
}

}  // namespace

Redacted shape_mcp_result(const tools::Tool& tool, const Value& document, const SecretFinder& finder,
                          McpAnswer kind) {
  Redacted out;
  Node result = Node::object();
  Node blocks = Node::array();
  const auto shaped = json::Document::parse(tools::shape_response(tool, document));
  const Value* const content = shaped ? shaped->root().find("content") : nullptr;
  if (content != nullptr && content->is(Value::Kind::kArray)) {
    for (const std::string& block : whole_blocks(*content, document.find("content")))
      blocks.push_back(redacted_block(block, finder, kind, out.hits));
  }
  result.set("content", std::move(blocks));
  if (const Value* const structured = shaped ? shaped->root().find("structuredContent") : nullptr) {
    Redacted rest = finder.redact_json(json::to_jcs(*structured));
    result.set("structuredContent", Node::canonical(std::move(rest.text)));
    append(out.hits, std::move(rest.hits));
  }
  const Value* const failed = document.find("isError");
  if (failed != nullptr && failed->boolean().value_or(false)) result.set("isError", true);
  out.text = json::to_jcs(result);
  return out;
}

}  // namespace chancery::runtime
