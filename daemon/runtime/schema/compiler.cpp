#include "daemon/runtime/schema/compiler.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "daemon/runtime/schema/uri.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::schema {

using Outcome = Compiler::Outcome;
using Kind = json::Value::Kind;

std::span<const Compiler::Row> Compiler::rows() {
  using Of = SizeRule::Of;
  using Bound = BoundRule::Type;
  // In this order they are applied: what is cheap first, what asks what others evaluated last.
  static constexpr std::array kRows{
      Row{"type", &Compiler::take_type},
      Row{"enum", &Compiler::take_enum},
      Row{"const", &Compiler::take_const},
      Row{"minimum", &Compiler::take_bound<Bound::kLeast>},
      Row{"exclusiveMinimum", &Compiler::take_bound<Bound::kMoreThan>},
      Row{"maximum", &Compiler::take_bound<Bound::kMost>},
      Row{"exclusiveMaximum", &Compiler::take_bound<Bound::kLessThan>},
      Row{"multipleOf", &Compiler::take_multiple_of},
      Row{"minLength", &Compiler::take_size<Of::kText, true>},
      Row{"maxLength", &Compiler::take_size<Of::kText, false>},
      Row{"minItems", &Compiler::take_size<Of::kItems, true>},
      Row{"maxItems", &Compiler::take_size<Of::kItems, false>},
      Row{"minProperties", &Compiler::take_size<Of::kMembers, true>},
      Row{"maxProperties", &Compiler::take_size<Of::kMembers, false>},
      Row{"required", &Compiler::take_required},
      Row{"dependentRequired", &Compiler::take_dependent_required},
      Row{"pattern", &Compiler::take_pattern},
      Row{"format", &Compiler::take_format},
      Row{"uniqueItems", &Compiler::take_unique},
      Row{"$ref", &Compiler::take_ref},
      Row{"$dynamicRef", &Compiler::take_dynamic_ref},
      Row{"allOf", &Compiler::take_several<AllRule>},
      Row{"anyOf", &Compiler::take_several<AnyRule>},
      Row{"oneOf", &Compiler::take_several<OneRule>},
      Row{"not", &Compiler::take_one<NotRule>},
      Row{"if", &Compiler::take_if},
      Row{"dependentSchemas", &Compiler::take_dependent_schemas},
      Row{"prefixItems", &Compiler::take_several<PrefixRule>},
      Row{"items", &Compiler::take_items},
      Row{"contains", &Compiler::take_contains},
      Row{"properties", &Compiler::take_properties},
      Row{"patternProperties", &Compiler::take_pattern_properties},
      Row{"additionalProperties", &Compiler::take_additional},
      Row{"propertyNames", &Compiler::take_one<NamesRule>},
      Row{"unevaluatedItems", &Compiler::take_unevaluated<UnevaluatedItemsRule>},
      Row{"unevaluatedProperties", &Compiler::take_unevaluated<UnevaluatedPropertiesRule>},
      // Annotations: only their form is looked at.
      Row{"$comment", &Compiler::take_text},
      Row{"$vocabulary", &Compiler::take_vocabulary},
      Row{"contentEncoding", &Compiler::take_text},
      Row{"contentMediaType", &Compiler::take_text},
      Row{"deprecated", &Compiler::take_flag},
      Row{"description", &Compiler::take_text},
      Row{"examples", &Compiler::take_list},
      Row{"readOnly", &Compiler::take_flag},
      Row{"title", &Compiler::take_text},
      Row{"writeOnly", &Compiler::take_flag},
  };
  return kRows;
}

Outcome Compiler::run() {
  CHANCERY_TRY(index_.run());
  // References into places that are no keyword's add nodes on the way.
  for (NodeId id = 0; id < compiled_.nodes.size(); ++id) CHANCERY_TRY(compile_node(id));
  return refuse_endless(compiled_);
}

Outcome Compiler::compile_node(NodeId id) {
  id_ = id;
  schema_ = compiled_.nodes[id].value;
  rules_.clear();
  for (const Row& row : rows()) {
    const json::Value* value = sibling(row.keyword);
    if (value == nullptr) continue;
    keyword_ = row.keyword;
    where_ = compiled_.nodes[id].pointer + "/" + std::string(row.keyword);
    CHANCERY_TRY((this->*row.take)(*value));
  }
  compiled_.nodes[id].rules = std::move(rules_);
  rules_ = {};
  return {};
}

// --- forms of values --------------------------------------------------------------------------------------

Outcome Compiler::take_text(const json::Value& value) {
  return value.is(Kind::kString) ? Outcome() : refusal("must be a string");
}

Outcome Compiler::take_flag(const json::Value& value) {
  return value.is(Kind::kBool) ? Outcome() : refusal("must be true or false");
}

Outcome Compiler::take_list(const json::Value& value) {
  return value.is(Kind::kArray) ? Outcome() : refusal("must be a list");
}

Outcome Compiler::take_vocabulary(const json::Value& value) {
  return value.is(Kind::kObject) ? Outcome() : refusal("must be an object");
}

Result<std::size_t, SchemaError> Compiler::count_of(const json::Value& value) {
  const auto count = value.integer();
  if (!count || *count < 0) return refusal("must be a whole number, not negative and within 2^53");
  return static_cast<std::size_t>(*count);
}

Result<std::vector<std::string_view>, SchemaError> Compiler::names_of(const json::Value& value) {
  const auto problem = [this] { return refusal("must be a list of different names in strings"); };
  if (!value.is(Kind::kArray)) return problem();
  std::vector<std::string_view> names;
  for (const json::Value& item : value.items()) {
    const auto name = item.string();
    if (!name) return problem();
    names.push_back(*name);
  }
  std::vector<std::string_view> sorted = names;
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end()) return problem();
  return names;
}

Result<Pattern, SchemaError> Compiler::pattern_of(std::string_view text) {
  if (++patterns_ > options_.max_patterns) {
    return refusal("the schema has too many patterns: use at most " + std::to_string(options_.max_patterns));
  }
  auto pattern = Pattern::compile(text);
  if (!pattern) return refusal("is a pattern that cannot be used: " + pattern.error().message);
  return *std::move(pattern);
}

// --- assertions -------------------------------------------------------------------------------------------

Outcome Compiler::take_type(const json::Value& value) {
  constexpr std::array<std::string_view, 6> kNames{"null",   "boolean", "number",
                                                   "string", "array",   "object"};  // as Kind
  TypeRule rule;
  const auto take_name = [&](const json::Value& item) {
    const std::string_view name = item.string().value_or("");
    if (name == "integer") {
      rule.integer = true;
      return true;
    }
    const auto found = std::ranges::find(kNames, name);
    if (found == kNames.end()) return false;
    rule.kinds = static_cast<std::uint8_t>(rule.kinds | 1u << (found - kNames.begin()));
    return true;
  };
  const bool known = value.is(Kind::kArray)
                         ? !value.items().empty() && std::ranges::all_of(value.items(), take_name)
                         : take_name(value);
  if (!known)
    return refusal("must be array, boolean, integer, null, number, object or string, or a list of these");
  add(rule);
  return {};
}

Outcome Compiler::take_enum(const json::Value& value) {
  if (!value.is(Kind::kArray)) return refusal("must be a list of values");
  EqualRule rule;
  for (const json::Value& item : value.items()) rule.values.push_back(json::to_jcs(item));
  add(std::move(rule));
  return {};
}

Outcome Compiler::take_const(const json::Value& value) {
  add(EqualRule{{json::to_jcs(value)}});
  return {};
}

template <BoundRule::Type type>
Outcome Compiler::take_bound(const json::Value& value) {
  const auto bound = value.number();
  if (!bound) return refusal("must be a number");
  add(BoundRule{type, *bound});
  return {};
}

Outcome Compiler::take_multiple_of(const json::Value& value) {
  const double divisor = value.number().value_or(0);
  if (!(divisor > 0)) return refusal("must be a number above zero");
  add(MultipleRule{decimal_of(divisor), divisor});
  return {};
}

template <SizeRule::Of of, bool least>
Outcome Compiler::take_size(const json::Value& value) {
  CHANCERY_ASSIGN(const std::size_t bound, count_of(value));
  add(SizeRule{of, least, bound});
  return {};
}

Outcome Compiler::take_pattern(const json::Value& value) {
  if (!value.is(Kind::kString)) return refusal("must be a pattern in a string");
  CHANCERY_ASSIGN(Pattern pattern, pattern_of(*value.string()));
  add(PatternRule{std::move(pattern)});
  return {};
}

Outcome Compiler::take_format(const json::Value& value) {
  CHANCERY_TRY(take_text(value));
  if (!options_.assert_formats) return {};
  if (const Format* format = find_format(*value.string())) add(FormatRule{format});
  return {};
}

Outcome Compiler::take_unique(const json::Value& value) {
  CHANCERY_TRY(take_flag(value));
  if (*value.boolean()) add(UniqueRule{});
  return {};
}

Outcome Compiler::take_required(const json::Value& value) {
  CHANCERY_ASSIGN(auto names, names_of(value));
  add(RequiredRule{std::move(names)});
  return {};
}

Outcome Compiler::take_dependent_required(const json::Value& value) {
  if (!value.is(Kind::kObject)) return refusal("must be an object whose members are lists of names");
  DependentRequiredRule rule;
  for (const json::Member& member : value.members()) {
    CHANCERY_ASSIGN(auto names, names_of(member.value));
    rule.of.emplace_back(member.name, std::move(names));
  }
  add(std::move(rule));
  return {};
}

// --- applicators ------------------------------------------------------------------------------------------

Outcome Compiler::take_ref(const json::Value& value) {
  CHANCERY_TRY(take_text(value));
  CHANCERY_ASSIGN(const NodeId target, index_.resolve(compiled_.nodes[id_], *value.string(), where_));
  add(RefRule{target});
  return {};
}

Outcome Compiler::take_dynamic_ref(const json::Value& value) {
  CHANCERY_TRY(take_text(value));
  const std::string_view reference = *value.string();
  CHANCERY_ASSIGN(const NodeId target, index_.resolve(compiled_.nodes[id_], reference, where_));
  const std::string_view anchor = divide_uri(reference).fragment;
  add(DynamicRefRule{target, index_.is_dynamic(target, anchor) ? anchor : std::string_view()});
  return {};
}

template <typename Rule>
Outcome Compiler::take_one(const json::Value& value) {
  add(Rule{index_.node_of(value)});
  return {};
}

template <typename Rule>
Outcome Compiler::take_several(const json::Value& value) {
  Rule rule;
  for (const json::Value& item : value.items()) rule.of.push_back(index_.node_of(item));
  add(std::move(rule));
  return {};
}

Outcome Compiler::take_if(const json::Value& value) {
  IfRule rule;
  rule.condition = index_.node_of(value);
  if (const json::Value* then = sibling("then")) rule.then = index_.node_of(*then);
  if (const json::Value* otherwise = sibling("else")) rule.otherwise = index_.node_of(*otherwise);
  add(rule);
  return {};
}

Outcome Compiler::take_dependent_schemas(const json::Value& value) {
  DependentSchemasRule rule;
  for (const json::Member& member : value.members())
    rule.of.emplace_back(member.name, index_.node_of(member.value));
  add(std::move(rule));
  return {};
}

Outcome Compiler::take_items(const json::Value& value) {
  const json::Value* prefix = sibling("prefixItems");
  add(ItemsRule{prefix == nullptr ? 0 : prefix->items().size(), index_.node_of(value)});
  return {};
}

Outcome Compiler::take_contains(const json::Value& value) {
  ContainsRule rule;
  rule.of = index_.node_of(value);
  if (const json::Value* least = sibling("minContains")) {
    CHANCERY_ASSIGN(rule.least, count_of(*least));
  }
  if (const json::Value* most = sibling("maxContains")) {
    CHANCERY_ASSIGN(rule.most, count_of(*most));
  }
  add(rule);
  return {};
}

Outcome Compiler::take_properties(const json::Value& value) {
  PropertiesRule rule;
  for (const json::Member& member : value.members())
    rule.of.emplace(member.name, index_.node_of(member.value));
  add(std::move(rule));
  return {};
}

Outcome Compiler::take_pattern_properties(const json::Value& value) {
  PatternPropertiesRule rule;
  for (const json::Member& member : value.members()) {
    CHANCERY_ASSIGN(Pattern pattern, pattern_of(member.name));
    rule.of.emplace_back(std::move(pattern), index_.node_of(member.value));
  }
  add(std::move(rule));
  return {};
}

// `properties` and `patternProperties` have had their turn.
Outcome Compiler::take_additional(const json::Value& value) {
  AdditionalRule rule;
  rule.of = index_.node_of(value);
  for (const auto& beside : rules_) {
    if (const auto* named = std::get_if<PropertiesRule>(&beside.kind)) rule.declared = named->of;
    const auto* patterned = std::get_if<PatternPropertiesRule>(&beside.kind);
    if (patterned == nullptr) continue;
    for (const auto& [pattern, target] : patterned->of) rule.patterns.push_back(pattern);
  }
  add(std::move(rule));
  return {};
}

template <typename Rule>
Outcome Compiler::take_unevaluated(const json::Value& value) {
  compiled_.tracks_evaluated = true;
  return take_one<Rule>(value);
}

// --- the whole --------------------------------------------------------------------------------------------

const json::Value& Schema::document() const noexcept { return compiled_->document.root(); }

Result<Schema, SchemaError> Schema::compile(const json::Value& schema, const Options& options) {
  // A copy of our own, within the reader's bounds of depth and size, whatever those were under which it was read before.
  json::Limits limits;
  limits.allow_unsafe_integers = true;
  auto document = json::Document::parse(json::to_jcs(schema), limits);
  if (!document) return SchemaError{"", document.error().what};
  auto compiled = std::make_shared<Compiled>(*std::move(document));
  CHANCERY_TRY(Compiler(*compiled, options).run());
  return Schema(std::move(compiled));
}

}  // namespace chancery::schema
