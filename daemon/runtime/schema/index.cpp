#include "daemon/runtime/schema/index.hpp"

#include <algorithm>

#include "daemon/runtime/schema/keywords.hpp"
#include "daemon/runtime/schema/pointer.hpp"
#include "daemon/runtime/schema/uri.hpp"
#include "sdk/base/printable.hpp"

namespace chancery::schema {
namespace {

using Outcome = Result<void, SchemaError>;
using Kind = json::Value::Kind;

constexpr std::string_view kDialect = "https://json-schema.org/draft/2020-12/schema";
constexpr std::size_t kLongestQuote = 200;

SchemaError refusal(std::string location, std::string message) {
  return SchemaError{std::move(location), std::move(message)};
}

std::string in_quotes(std::string_view text) {
  return "\"" + printable(text.substr(0, kLongestQuote)) + (text.size() > kLongestQuote ? "…" : "") + "\"";
}

// Core, section 8.2.2: ^[A-Za-z_][-A-Za-z0-9._]*$
bool is_anchor(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

Outcome check_dialect(const json::Value& value, const std::string& pointer) {
  const json::Value* dialect = value.find("$schema");
  if (dialect == nullptr) return {};
  const DividedUri uri = divide_uri(dialect->string().value_or(""));
  if (uri.uri == kDialect && uri.fragment.empty()) return {};
  return refusal(pointer + "/$schema",
                 "names a dialect that is not known here: write " + in_quotes(kDialect));
}

}  // namespace

Outcome Index::run() {
  compiled_.resources.emplace_back();
  return visit(compiled_.document.root(), {});
}

Outcome Index::visit(const json::Value& value, Place place) {
  if (!value.is(Kind::kObject) && !value.is(Kind::kBool)) {
    return refusal(place.pointer, "is no schema: a schema is an object, true or false");
  }
  if (compiled_.nodes.size() >= options_.max_subschemas) {
    return refusal(place.pointer,
                   "the schema has too many parts: use at most " + std::to_string(options_.max_subschemas));
  }
  const auto id = static_cast<NodeId>(compiled_.nodes.size());
  known_.emplace(&value, id);
  compiled_.nodes.emplace_back();
  if (value.find("$id") != nullptr) {
    CHANCERY_ASSIGN(place.resource, open_resource(value, place, id));
  }
  Node& node = compiled_.nodes[id];
  node.value = &value;
  node.pointer = place.pointer;
  node.resource = place.resource;
  node.boolean = value.boolean();
  CHANCERY_TRY(check_dialect(value, place.pointer));
  CHANCERY_TRY(take_anchor(value, "$anchor", place, id));
  CHANCERY_TRY(take_anchor(value, "$dynamicAnchor", place, id));
  return visit_children(value, place);
}

Outcome Index::visit_children(const json::Value& value, const Place& place) {
  for (const json::Member& member : value.members()) {
    const Keyword* keyword = find_keyword(member.name);
    const std::string pointer = place.pointer + "/" + escape_token(member.name);
    if (keyword == nullptr) {
      if (!options_.refuse_unknown) continue;
      return refusal(pointer, "unknown keyword " + in_quotes(member.name) + ": did you mean " +
                                  in_quotes(nearest_keyword(member.name)) + "?");
    }
    switch (keyword->holds) {
      case Holds::kNoSchema:
        break;
      case Holds::kSchema:
        if (member.value.is(Kind::kArray)) {
          return refusal(pointer, "is one schema, not a list: schemas for the first items are prefixItems");
        }
        CHANCERY_TRY(visit(member.value, {pointer, place.resource}));
        break;
      case Holds::kSchemaList:
        if (member.value.items().empty()) return refusal(pointer, "must be a list of schemas, not empty");
        for (std::size_t i = 0; i < member.value.items().size(); ++i) {
          CHANCERY_TRY(visit(member.value.items()[i], {pointer + "/" + std::to_string(i), place.resource}));
        }
        break;
      case Holds::kSchemaMap:
        if (!member.value.is(Kind::kObject))
          return refusal(pointer, "must be an object whose members are schemas");
        for (const json::Member& one : member.value.members()) {
          CHANCERY_TRY(visit(one.value, {pointer + "/" + escape_token(one.name), place.resource}));
        }
        break;
    }
  }
  return {};
}

Result<ResourceId, SchemaError> Index::open_resource(const json::Value& value, const Place& place,
                                                     NodeId node) {
  const std::string where = place.pointer + "/$id";
  const auto reference = value.find("$id")->string();
  if (!reference) return refusal(where, "must be a URI in a string");
  const DividedUri given = divide_uri(*reference);
  if (!given.fragment.empty()) return refusal(where, "must have no fragment: use $anchor to name a part");
  const std::string uri = resolve_uri(compiled_.resources[place.resource].uri, given.uri);
  if (node == 0) {
    compiled_.resources[0].uri = uri;
    return ResourceId{0};
  }
  if (std::ranges::find(compiled_.resources, uri, &Resource::uri) != compiled_.resources.end()) {
    return refusal(where, "the same $id stands in two places: " + in_quotes(uri));
  }
  compiled_.resources.push_back({uri, node, {}, {}});
  return static_cast<ResourceId>(compiled_.resources.size() - 1);
}

Outcome Index::take_anchor(const json::Value& value, std::string_view keyword, const Place& place,
                           NodeId node) {
  const json::Value* given = value.find(keyword);
  if (given == nullptr) return {};
  const std::string where = place.pointer + "/" + std::string(keyword);
  const std::string name(given->string().value_or(""));
  if (!is_anchor(name)) {
    return refusal(where, "must be a name: a letter or underscore, then letters, digits, '-', '_' and '.'");
  }
  Resource& resource = compiled_.resources[place.resource];
  const auto [entry, is_new] = resource.anchors.emplace(name, node);
  if (!is_new && entry->second != node)
    return refusal(where, "the same anchor stands in two places: " + in_quotes(name));
  if (keyword == "$dynamicAnchor") resource.dynamic_anchors.emplace(name, node);
  return {};
}

Result<NodeId, SchemaError> Index::resolve(const Node& from, std::string_view reference,
                                           const std::string& where) {
  const std::string full = resolve_uri(compiled_.resources[from.resource].uri, reference);
  const DividedUri uri = divide_uri(full);
  const auto resource = std::ranges::find(compiled_.resources, uri.uri, &Resource::uri);
  if (resource == compiled_.resources.end()) {
    return refusal(where, "leads to another document, " + in_quotes(uri.uri) +
                              ", and none is fetched: put that schema into $defs, with its $id");
  }
  const std::string fragment = percent_decode(uri.fragment);
  if (fragment.empty()) return resource->root;
  if (fragment.front() == '/') {
    return follow(static_cast<ResourceId>(resource - compiled_.resources.begin()), fragment, where);
  }
  const auto anchor = resource->anchors.find(fragment);
  if (anchor == resource->anchors.end())
    return refusal(where, "leads to an anchor that is not there: " + in_quotes(fragment));
  return anchor->second;
}

Result<NodeId, SchemaError> Index::follow(ResourceId resource, std::string_view pointer,
                                          const std::string& where) {
  const auto tokens = split_pointer(pointer);
  if (!tokens) return refusal(where, "holds no JSON pointer behind the #: " + in_quotes(pointer));
  const NodeId root = compiled_.resources[resource].root;
  const json::Value* value = compiled_.nodes[root].value;
  Place place{compiled_.nodes[root].pointer, resource};
  for (const std::string& token : *tokens) {
    value = child_of(*value, token);
    if (value == nullptr) return refusal(where, "leads to a place that is not there: " + in_quotes(pointer));
    place.pointer += "/" + escape_token(token);
    // On the way it may pass into a part with a URI of its own.
    if (const auto passed = known_.find(value); passed != known_.end()) {
      place.resource = compiled_.nodes[passed->second].resource;
    }
  }
  if (const auto found = known_.find(value); found != known_.end()) return found->second;
  const auto id = static_cast<NodeId>(compiled_.nodes.size());
  CHANCERY_TRY(visit(*value, std::move(place)));
  return id;
}

bool Index::is_dynamic(NodeId target, std::string_view anchor) const {
  const Resource& resource = compiled_.resources[compiled_.nodes[target].resource];
  const auto found = resource.dynamic_anchors.find(anchor);
  return found != resource.dynamic_anchors.end() && found->second == target;
}

}  // namespace chancery::schema
