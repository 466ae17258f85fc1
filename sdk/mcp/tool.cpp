#include "sdk/mcp/tool.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "sdk/crypto/hash.hpp"
#include "sdk/mcp/text_rules.hpp"

namespace chancery::mcp {
namespace {

using json::Node;
using json::Value;

constexpr Error kBadName{ErrorCode::kMalformed,
                         "a tool's name is 1 to 128 of A-Z, a-z, 0-9, underscore, hyphen and dot"};
constexpr Error kBadText{ErrorCode::kMalformed, "a tool's title and description are texts"};
constexpr Error kBadSchema{ErrorCode::kMalformed,
                           R"(a tool's inputSchema is an object with "type": "object")"};
constexpr Error kNoObject{ErrorCode::kMalformed, "a tool's outputSchema and annotations are objects"};
constexpr Error kHidden{ErrorCode::kMalformed,
                        "a tool's description has characters that nobody sees: have them removed"};

constexpr std::string_view kMirror = "x-mcp-header";

// Where names are the author's and values are schemas, and where values are data.
constexpr std::array<std::string_view, 5> kNamedSchemas{"properties", "patternProperties", "$defs",
                                                        "definitions", "dependentSchemas"};
constexpr std::array<std::string_view, 4> kData{"const", "enum", "default", "examples"};

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::ranges::find(names, name) != names.end();
}

// Recursion is bounded by the reader's depth.
Node without_mirrors(const Value& schema, bool names_schemas = false) {
  if (schema.is(Value::Kind::kArray)) {
    std::vector<Node> items;
    for (const Value& item : schema.items()) items.push_back(without_mirrors(item));
    return Node::array(std::move(items));
  }
  if (!schema.is(Value::Kind::kObject)) return Node::copy(schema);
  Node out = Node::object();
  for (const json::Member& member : schema.members()) {
    const bool keyword = !names_schemas;
    if (keyword && member.name == kMirror) continue;
    const bool is_data = keyword && is_one_of(member.name, kData);
    const bool names = keyword && is_one_of(member.name, kNamedSchemas);
    out.set(std::string(member.name),
            is_data ? Node::copy(member.value) : without_mirrors(member.value, names));
  }
  return out;
}

bool is_of_object(const Value& schema) noexcept {
  const Value* type = schema.find("type");
  return type != nullptr && type->string() == "object";
}

Result<json::Document> parse_object(const std::string& text, const Error& otherwise) {
  auto document = json::Document::parse_borrowed(text);
  if (!document) return document.error();
  if (!document->root().is(Value::Kind::kObject)) return otherwise;
  return document;
}

Status take_text(const Value& tool, const char* name, std::optional<std::string>& out) {
  const Value* value = tool.find(name);
  if (value == nullptr) return {};
  if (!value->string()) return kBadText;
  out = std::string(*value->string());
  return {};
}

Status take_object(const Value& tool, const char* name, std::optional<std::string>& out) {
  const Value* value = tool.find(name);
  if (value == nullptr) return {};
  if (!value->is(Value::Kind::kObject)) return kNoObject;
  out = json::to_jcs(*value);
  return {};
}

bool hides_something(const Value& tool) noexcept {
  constexpr std::array kSeen{"title", "description", "inputSchema", "outputSchema", "annotations"};
  return std::ranges::any_of(kSeen, [&](const char* name) {
    const Value* value = tool.find(name);
    return value != nullptr && has_hidden_characters(*value);
  });
}

Node named_node(const Tool& tool) {
  Node node = Node::object({{"name", tool.name}});
  if (tool.title) node.set("title", *tool.title);
  if (tool.description) node.set("description", *tool.description);
  return node;
}

Status set_object(Node& node, const char* name, const std::optional<std::string>& text) {
  if (!text) return {};
  CHANCERY_ASSIGN(const json::Document document, parse_object(*text, kNoObject));
  node.set(name, Node::copy(document.root()));
  return {};
}

Result<bool> fits_scope(const Tool& tool, SchemaScope scope) {
  if (!tool.output_schema || scope == SchemaScope::kAnyValue) return true;
  CHANCERY_ASSIGN(const json::Document output, parse_object(*tool.output_schema, kNoObject));
  return is_of_object(output.root());
}

}  // namespace

Result<Tool> read_tool(const Value& value) {
  Tool tool;
  const Value* name = value.find("name");
  tool.name = std::string(name == nullptr ? std::string_view() : name->string().value_or(""));
  if (!is_tool_name(tool.name)) return kBadName;
  CHANCERY_TRY(take_text(value, "title", tool.title));
  CHANCERY_TRY(take_text(value, "description", tool.description));
  const Value* input = value.find("inputSchema");
  if (input == nullptr || !is_of_object(*input)) return kBadSchema;
  tool.input_schema = json::to_jcs(*input);
  CHANCERY_TRY(take_object(value, "outputSchema", tool.output_schema));
  CHANCERY_TRY(take_object(value, "annotations", tool.annotations));
  if (hides_something(value)) return kHidden;
  return tool;
}

Result<Node> tool_node(const Tool& tool, SchemaScope scope) {
  Node node = named_node(tool);
  CHANCERY_ASSIGN(const json::Document input, parse_object(tool.input_schema, kBadSchema));
  node.set("inputSchema", without_mirrors(input.root()));
  CHANCERY_ASSIGN(const bool any_output, fits_scope(tool, scope));
  if (any_output) CHANCERY_TRY(set_object(node, "outputSchema", tool.output_schema));
  CHANCERY_TRY(set_object(node, "annotations", tool.annotations));
  // One rule for what is read and what is written: what we would not take from others, we do not send.
  const std::string text = json::to_jcs(node);
  CHANCERY_ASSIGN(const json::Document written, json::Document::parse_borrowed(text));
  CHANCERY_TRY(read_tool(written.root()));
  return node;
}

Result<Sha256Digest> description_digest(const Tool& tool) {
  Node node = named_node(tool);
  CHANCERY_TRY(set_object(node, "inputSchema", tool.input_schema));
  CHANCERY_TRY(set_object(node, "outputSchema", tool.output_schema));
  CHANCERY_TRY(set_object(node, "annotations", tool.annotations));
  return sha256(as_bytes(json::to_jcs(node)));
}

Result<bool> asks_for_headers(const Tool& tool) {
  CHANCERY_ASSIGN(const json::Document input, parse_object(tool.input_schema, kBadSchema));
  return json::to_jcs(without_mirrors(input.root())) != json::to_jcs(input.root());
}

}  // namespace chancery::mcp
