#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/runtime/schema/decimal.hpp"
#include "daemon/runtime/schema/formats.hpp"
#include "daemon/runtime/schema/pattern.hpp"
#include "sdk/json/reader.hpp"

namespace chancery::schema {

using NodeId = std::uint32_t;
using ResourceId = std::uint32_t;

// What keywords became. Texts are views of the document that Compiled keeps.

struct TypeRule {
  std::uint8_t kinds = 0;  ///< one bit for each json::Value::Kind
  bool integer = false;    ///< numbers without a fraction, when kNumber is not among `kinds`
};
struct EqualRule {
  std::vector<std::string> values;  ///< JCS, which is equal exactly for values that are
};
struct BoundRule {
  enum class Type : std::uint8_t { kLeast, kMoreThan, kMost, kLessThan };
  Type type = Type::kLeast;
  double bound = 0;
};
struct MultipleRule {
  Decimal divisor;
  double value = 0;  ///< the same, as it was read
};
struct SizeRule {
  enum class Of : std::uint8_t { kText, kItems, kMembers };
  Of of = Of::kText;
  bool least = false;  ///< else the most
  std::size_t bound = 0;
};
struct PatternRule {
  Pattern pattern;
};
struct FormatRule {
  const Format* format = nullptr;
};
struct UniqueRule {};
struct RequiredRule {
  std::vector<std::string_view> names;
};
struct DependentRequiredRule {
  std::vector<std::pair<std::string_view, std::vector<std::string_view>>> of;
};

struct RefRule {
  NodeId target = 0;
};
struct DynamicRefRule {
  NodeId target = 0;  ///< where it leads when no scope says otherwise
  std::string_view
      anchor;  ///< the `$dynamicAnchor` to look for from the outermost scope; empty when there is none
};
struct AllRule {
  std::vector<NodeId> of;
};
struct AnyRule {
  std::vector<NodeId> of;
};
struct OneRule {
  std::vector<NodeId> of;
};
struct NotRule {
  NodeId of = 0;
};
struct IfRule {
  NodeId condition = 0;
  std::optional<NodeId> then;
  std::optional<NodeId> otherwise;
};
struct DependentSchemasRule {
  std::vector<std::pair<std::string_view, NodeId>> of;
};

struct PrefixRule {
  std::vector<NodeId> of;
};
struct ItemsRule {
  std::size_t from = 0;  ///< after the items of `prefixItems`
  NodeId of = 0;
};
struct ContainsRule {
  NodeId of = 0;
  std::size_t least = 1;
  std::optional<std::size_t> most;
};
struct PropertiesRule {
  std::map<std::string_view, NodeId> of;
};
struct PatternPropertiesRule {
  std::vector<std::pair<Pattern, NodeId>> of;
};
struct AdditionalRule {
  NodeId of = 0;
  std::map<std::string_view, NodeId> declared;  ///< `properties` beside it
  std::vector<Pattern> patterns;                ///< `patternProperties` beside it
};
struct NamesRule {
  NodeId of = 0;
};
struct UnevaluatedItemsRule {
  NodeId of = 0;
};
struct UnevaluatedPropertiesRule {
  NodeId of = 0;
};

struct Rule {
  std::string_view keyword;
  std::variant<TypeRule, EqualRule, BoundRule, MultipleRule, SizeRule, PatternRule, FormatRule, UniqueRule,
               RequiredRule, DependentRequiredRule, RefRule, DynamicRefRule, AllRule, AnyRule, OneRule,
               NotRule, IfRule, DependentSchemasRule, PrefixRule, ItemsRule, ContainsRule, PropertiesRule,
               PatternPropertiesRule, AdditionalRule, NamesRule, UnevaluatedItemsRule,
               UnevaluatedPropertiesRule>
      kind;
};

/// One subschema.
struct Node {
  const json::Value* value = nullptr;
  std::string pointer;  ///< in the document
  ResourceId resource = 0;
  std::optional<bool> boolean;  ///< `true` and `false` are schemas too
  std::vector<Rule> rules;      ///< those that need what others evaluated come last
};

/// A part of the document with a URI of its own (`$id`), or the whole.
struct Resource {
  std::string uri;  ///< absolute where some `$id` is; without fragment
  NodeId root = 0;
  std::map<std::string, NodeId, std::less<>> anchors;  ///< of `$anchor` and `$dynamicAnchor`
  std::map<std::string, NodeId, std::less<>> dynamic_anchors;
};

struct Compiled {
  explicit Compiled(json::Document kept) : document(std::move(kept)) {}
  json::Document document;
  std::vector<Node> nodes;  ///< the first is the whole document
  std::vector<Resource> resources;
  bool tracks_evaluated = false;  ///< some keyword asks what others have evaluated
};

}  // namespace chancery::schema
