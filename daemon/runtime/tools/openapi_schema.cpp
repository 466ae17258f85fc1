#include "daemon/runtime/tools/openapi_schema.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "daemon/runtime/schema/keywords.hpp"
#include "daemon/runtime/schema/pointer.hpp"
#include "daemon/runtime/schema/uri.hpp"
#include "sdk/json/number.hpp"

namespace chancery::tools {
namespace {

using Kind = json::Value::Kind;

constexpr std::string_view kComponents = "#/components/schemas/";
constexpr std::size_t kLongestChain = 16;

// Annotations that say nothing to who calls the tool, may hold null, or name parts of a document that this is none of.
constexpr std::array<std::string_view, 8> kLeftOut{"$comment", "$schema",       "$vocabulary", "default",
                                                   "examples", "contentSchema", "readOnly",    "writeOnly"};
constexpr std::array<std::string_view, 4> kNames{"$id", "$anchor", "$dynamicAnchor", "$dynamicRef"};

bool has_null(const json::Value& value) {
  return value.is(Kind::kNull) || std::ranges::any_of(value.items(), has_null) ||
         std::ranges::any_of(value.members(),
                             [](const json::Member& member) { return has_null(member.value); });
}

bool is_unsafe_number(const json::Value& value) {
  const auto number = value.number();
  return number && std::abs(*number) > json::kMaxSafeInteger;
}

json::Node without_null(const json::Value& values) {
  json::Node kept = json::Node::array();
  for (const json::Value& item : values.items()) {
    if (!item.is(Kind::kNull)) kept.push_back(json::Node::copy(item));
  }
  return kept;
}

}  // namespace

const json::Value* followed(const json::Value& document, const json::Value& value) {
  const json::Value* at = &value;
  for (std::size_t i = 0; i < kLongestChain; ++i) {
    const json::Value* reference = at->find("$ref");
    if (reference == nullptr) return at;
    const std::string_view text = reference->string().value_or("");
    if (!text.starts_with("#/")) return nullptr;
    const auto tokens = schema::split_pointer(schema::percent_decode(text.substr(1)));
    at = tokens ? schema::value_at(document, *tokens) : nullptr;
    if (at == nullptr) return nullptr;
  }
  return nullptr;
}

SchemaConversion::SchemaConversion(const json::Value& document) : document_(document) {
  const json::Value* version = document.find("openapi");
  is_30_ = version != nullptr && version->string().value_or("").starts_with("3.0");
}

Result<json::Node, NotImported> SchemaConversion::convert_reference(std::string_view reference) {
  if (!reference.starts_with(kComponents))
    return NotImported{"a schema refers to another place than #/components/schemas"};
  const std::string name = schema::percent_decode(reference.substr(kComponents.size()));
  const json::Value* components = document_.find("components");
  const json::Value* schemas = components == nullptr ? nullptr : components->find("schemas");
  const json::Value* target = schemas == nullptr ? nullptr : schemas->find(name);
  // OpenAPI has names of letters, digits and "._-" there, which need no escapes.
  const bool plain = std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-';
  });
  if (target == nullptr || !plain)
    return NotImported{"a schema refers to #/components/schemas, where what it names is not"};
  wanted_.emplace(name, target);
  return json::Node("#/$defs/" + name);
}

Result<json::Node, NotImported> SchemaConversion::convert_keyword(std::string_view name,
                                                                  const json::Value& value) {
  if (name == "$ref") return convert_reference(value.string().value_or(""));
  switch (schema::find_keyword(name)->holds) {
    case schema::Holds::kNoSchema:
      break;
    case schema::Holds::kSchema:
      return convert(value);
    case schema::Holds::kSchemaList: {
      json::Node list = json::Node::array();
      for (const json::Value& item : value.items()) {
        CHANCERY_ASSIGN(json::Node one, convert(item));
        list.push_back(std::move(one));
      }
      return list;
    }
    case schema::Holds::kSchemaMap: {
      json::Node map = json::Node::object();
      for (const json::Member& member : value.members()) {
        CHANCERY_ASSIGN(json::Node one, convert(member.value));
        map.set(std::string(member.name), std::move(one));
      }
      return map;
    }
  }
  if (name == "enum") return without_null(value);
  if (has_null(value)) return NotImported{"a schema holds null, which TOML does not have"};
  return json::Node::copy(value);
}

// What 3.0 says otherwise: bounds that are flags.
void SchemaConversion::convert_30(const json::Value& schema, json::Node& out) {
  constexpr std::array<std::array<std::string_view, 2>, 2> kBounds{
      {{"minimum", "exclusiveMinimum"}, {"maximum", "exclusiveMaximum"}}};
  for (const auto& [bound, flag] : kBounds) {
    const json::Value* value = schema.find(bound);
    if (value == nullptr || is_unsafe_number(*value)) continue;
    const json::Value* exclusive = schema.find(flag);
    const bool is_exclusive = exclusive != nullptr && exclusive->boolean() == true;
    out.set(std::string(is_exclusive ? flag : bound), json::Node::copy(*value));
  }
}

Result<json::Node, NotImported> SchemaConversion::convert(const json::Value& schema) {
  if (schema.is(Kind::kBool)) return json::Node::copy(schema);
  if (!schema.is(Kind::kObject)) return NotImported{"a schema is no object"};
  json::Node out = json::Node::object();
  if (is_30_) {
    // Beside a reference 3.0 looks at nothing else.
    if (const json::Value* reference = schema.find("$ref")) {
      CHANCERY_ASSIGN(json::Node target, convert_reference(reference->string().value_or("")));
      out.set("$ref", std::move(target));
      return out;
    }
    convert_30(schema, out);
  }
  for (const json::Member& member : schema.members()) {
    const bool known = schema::find_keyword(member.name) != nullptr;
    const bool bound = member.name.ends_with("inimum") || member.name.ends_with("aximum");
    if (!known || std::ranges::find(kLeftOut, member.name) != kLeftOut.end() || (is_30_ && bound)) continue;
    if (std::ranges::find(kNames, member.name) != kNames.end()) {
      return NotImported{"a schema has a name of its own ($id, $anchor), which is not followed here"};
    }
    if (is_unsafe_number(member.value)) continue;  // a bound that no number here reaches
    CHANCERY_ASSIGN(json::Node value, convert_keyword(member.name, member.value));
    const bool nullable = is_30_ && member.name == "type" && schema.find("nullable") != nullptr &&
                          schema.find("nullable")->boolean() == true && member.value.is(Kind::kString);
    if (nullable) value = json::Node::array({std::move(value), "null"});
    out.set(std::string(member.name), std::move(value));
  }
  return out;
}

Result<std::map<std::string, json::Node>, NotImported> SchemaConversion::definitions() {
  std::map<std::string, json::Node> made;
  for (;;) {
    // Converting one may want others.
    const auto next =
        std::ranges::find_if(wanted_, [&](const auto& wanted) { return !made.contains(wanted.first); });
    if (next == wanted_.end()) return made;
    const std::string name = next->first;
    CHANCERY_ASSIGN(json::Node schema, convert(*next->second));
    made.emplace(name, std::move(schema));
  }
}

}  // namespace chancery::tools
