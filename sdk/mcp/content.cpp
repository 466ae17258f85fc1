#include "sdk/mcp/content.hpp"

#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sdk/mcp/text_rules.hpp"

namespace chancery::mcp {
namespace {

using json::Node;
using json::Value;

constexpr std::size_t kMaxBlocks = 1024;
constexpr std::size_t kMaxMimeType = 255;

constexpr Error kNoArray{ErrorCode::kMalformed, "a tool's content is an array of at most 1024 blocks"};
constexpr Error kUnknownBlock{ErrorCode::kMalformed,
                              "a block of content is text, image, audio, resource_link or resource"};
constexpr Error kBadMember{ErrorCode::kMalformed,
                           "a block of content lacks a member of its type, or has it in another type"};
constexpr Error kBadResource{ErrorCode::kMalformed, "an embedded resource has a uri, and text or a blob"};

enum class Form : std::uint8_t { kAnyText, kPlainText, kMimeType, kSize };

// A member of a block, as the schema of both versions has it.
struct Field {
  const char* name;
  Form form;
  bool required;
};

constexpr std::array kText{Field{"text", Form::kAnyText, true}};
constexpr std::array kMedia{Field{"data", Form::kPlainText, true}, Field{"mimeType", Form::kMimeType, true}};
constexpr std::array kLink{
    Field{"uri", Form::kPlainText, true},      Field{"name", Form::kPlainText, true},
    Field{"title", Form::kPlainText, false},   Field{"description", Form::kPlainText, false},
    Field{"mimeType", Form::kMimeType, false}, Field{"size", Form::kSize, false}};
constexpr std::array kResource{Field{"uri", Form::kPlainText, true},
                               Field{"mimeType", Form::kMimeType, false},
                               Field{"text", Form::kAnyText, false}, Field{"blob", Form::kPlainText, false}};

bool has_form(const Value& value, Form form) noexcept {
  const auto text = value.string();
  switch (form) {
    case Form::kAnyText:
      return text.has_value();
    case Form::kPlainText:
      return text && !has_hidden_characters(*text);
    case Form::kMimeType:
      return text && is_visible_ascii(*text, kMaxMimeType);
    case Form::kSize:
      return value.integer() && *value.integer() >= 0;
  }
  return false;
}

// Copies the members that the block may have.
Status take(const Value& block, std::span<const Field> fields, Node& out) {
  for (const Field& field : fields) {
    const Value* value = block.find(field.name);
    if (value == nullptr && !field.required) continue;
    if (value == nullptr || !has_form(*value, field.form)) return kBadMember;
    out.set(field.name, Node::copy(*value));
  }
  return {};
}

Result<Node> resource_node(const Value& block) {
  const Value* resource = block.find("resource");
  if (resource == nullptr || (resource->find("text") == nullptr) == (resource->find("blob") == nullptr)) {
    return kBadResource;
  }
  Node inner = Node::object();
  CHANCERY_TRY(take(*resource, kResource, inner));
  return Node::object({{"type", "resource"}, {"resource", std::move(inner)}});
}

Result<Node> block_node(const Value& block) {
  const Value* type = block.find("type");
  const auto name = type == nullptr ? std::nullopt : type->string();
  if (!name) return kUnknownBlock;
  if (*name == "resource") return resource_node(block);
  Node out = Node::object({{"type", *name}});
  if (*name == "text") {
    CHANCERY_TRY(take(block, kText, out));
  } else if (*name == "image" || *name == "audio") {
    CHANCERY_TRY(take(block, kMedia, out));
  } else if (*name == "resource_link") {
    CHANCERY_TRY(take(block, kLink, out));
  } else {
    return kUnknownBlock;
  }
  return out;
}

}  // namespace

Result<Node> content_node(const Value& content) {
  if (!content.is(Value::Kind::kArray) || content.items().size() > kMaxBlocks) return kNoArray;
  std::vector<Node> blocks;
  for (const Value& block : content.items()) {
    CHANCERY_ASSIGN(Node node, block_node(block));
    blocks.push_back(std::move(node));
  }
  return Node::array(std::move(blocks));
}

Node text_content(std::string_view text) { return Node::object({{"type", "text"}, {"text", text}}); }

}  // namespace chancery::mcp
