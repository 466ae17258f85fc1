#include "sdk/token/authority_json.hpp"

#include <algorithm>
#include <array>

#include "sdk/token/extension_rules.hpp"

namespace chancery {
namespace {

using json::Value;
using Kind = json::Value::Kind;

Error malformed(const char* what) { return Error{ErrorCode::kMalformed, what}; }

struct NumberType {
  std::string_view name;
  NumberBound::Type type;
};

constexpr std::array kNumberTypes{
    NumberType{"max", NumberBound::Type::kMax},
    NumberType{"min", NumberBound::Type::kMin},
    NumberType{"max_lifetime", NumberBound::Type::kMaxLifetime},
    NumberType{"max_subtree", NumberBound::Type::kMaxSubtree},
};

// By sorting: a list that nobody has signed yet may be as long as a token can be.
template <typename Item>
bool all_distinct(std::vector<Item> items) {
  std::ranges::sort(items);
  return std::ranges::adjacent_find(items) == items.end();
}

Result<std::vector<std::string>> read_order(const Value* order) {
  constexpr const char* kWhat = "`rank` needs `order`: two or more distinct strings";
  if (order == nullptr || order->items().size() < 2) return malformed(kWhat);
  std::vector<std::string> names;
  for (const Value& item : order->items()) {
    if (!item.string()) return malformed(kWhat);
    names.emplace_back(*item.string());
  }
  if (!all_distinct(std::vector<std::string_view>(names.begin(), names.end()))) return malformed(kWhat);
  return names;
}

Result<ConstraintRule> read_rank(const Value& value, const Value* order) {
  CHANCERY_ASSIGN(std::vector<std::string> names, read_order(order));
  const auto rank = value.string();
  if (!rank || std::ranges::find(names, *rank) == names.end())
    return malformed("`rank` must be one of its `order`");
  return ConstraintRule(Rank{std::string(*rank), std::move(names)});
}

Result<ConstraintRule> read_membership(const Value& value, bool negated) {
  if (!value.is(Kind::kArray)) return malformed("`one_of` and `not_one_of` take an array");
  Membership membership{negated, {}};
  for (const Value& item : value.items()) membership.values.push_back(json::to_jcs(item));
  return ConstraintRule(std::move(membership));
}

Result<ConstraintRule> read_rule(const json::Member& typed, const Value* order) {
  if (typed.name == "rank") return read_rank(typed.value, order);
  if (order != nullptr) return malformed("`order` belongs to `rank` only");
  for (const NumberType& known : kNumberTypes) {
    if (typed.name != known.name) continue;
    if (!typed.value.number())
      return malformed("`max`, `min`, `max_lifetime` and `max_subtree` take a number");
    return ConstraintRule(NumberBound{known.type, *typed.value.number()});
  }
  if (typed.name == "one_of" || typed.name == "not_one_of")
    return read_membership(typed.value, typed.name == "not_one_of");
  if (typed.name == "prefix") {
    if (!typed.value.string()) return malformed("`prefix` takes a string");
    return ConstraintRule(Prefix{std::string(*typed.value.string())});
  }
  if (typed.name == "max_rate") {
    CHANCERY_ASSIGN(const RateBound rate, read_rate(typed.value));
    return ConstraintRule(rate);
  }
  if (typed.name == "time_window") {
    CHANCERY_ASSIGN(TimeWindow window, read_window(typed.value));
    return ConstraintRule(std::move(window));
  }
  return ConstraintRule(UnknownRule{std::string(typed.name), json::to_jcs(typed.value)});
}

Result<Constraint> read_constraint(const Value& object) {
  if (!object.is(Kind::kObject))
    return malformed("each constraint is an object with `key` and one typed member");
  const Value* key = object.find("key");
  if (key == nullptr || !key->string()) return malformed("a constraint's `key` must be a string");
  const Value* order = object.find("order");
  const json::Member* typed = nullptr;
  for (const json::Member& member : object.members()) {
    if (member.name == "key" || member.name == "order") continue;
    if (typed != nullptr) return malformed("a constraint has `key` and exactly one typed member");
    typed = &member;
  }
  // `order` alone is the typed member of a type that nobody knows.
  if (typed == nullptr && order != nullptr) {
    return Constraint{std::string(*key->string()), UnknownRule{"order", json::to_jcs(*order)}};
  }
  if (typed == nullptr) return malformed("a constraint has `key` and exactly one typed member");
  CHANCERY_ASSIGN(ConstraintRule rule, read_rule(*typed, order));
  return Constraint{std::string(*key->string()), std::move(rule)};
}

std::string jcs_array(const std::vector<std::string>& jcs_items) {
  std::string out = "[";
  for (const std::string& item : jcs_items) {
    if (out.size() > 1) out += ',';
    out += item;
  }
  return out += ']';
}

json::Node string_array(const std::vector<std::string>& items) {
  json::Node array = json::Node::array();
  for (const std::string& item : items) array.push_back(item);
  return array;
}

json::Node rule_node(const ConstraintRule& rule) {
  if (const auto* bound = std::get_if<NumberBound>(&rule)) return bound->value;
  if (const auto* membership = std::get_if<Membership>(&rule))
    return json::Node::canonical(jcs_array(membership->values));
  if (const auto* prefix = std::get_if<Prefix>(&rule)) return prefix->value;
  if (const auto* rank = std::get_if<Rank>(&rule)) return rank->value;
  if (const auto* rate = std::get_if<RateBound>(&rule)) return to_json(*rate);
  if (const auto* window = std::get_if<TimeWindow>(&rule)) return to_json(*window);
  return json::Node::canonical(std::get<UnknownRule>(rule).jcs);
}

}  // namespace

std::string_view Constraint::type() const noexcept {
  if (const auto* bound = std::get_if<NumberBound>(&rule)) {
    const auto* known = std::ranges::find(kNumberTypes, bound->type, &NumberType::type);
    return known->name;
  }
  if (const auto* membership = std::get_if<Membership>(&rule))
    return membership->negated ? "not_one_of" : "one_of";
  if (std::holds_alternative<Prefix>(rule)) return "prefix";
  if (std::holds_alternative<Rank>(rule)) return "rank";
  if (std::holds_alternative<RateBound>(rule)) return "max_rate";
  if (std::holds_alternative<TimeWindow>(rule)) return "time_window";
  return std::get<UnknownRule>(rule).type;
}

Result<std::vector<std::string>> read_scopes(const Value& scopes) {
  if (!scopes.is(Kind::kArray)) return malformed("`scopes` must be an array of scopes");
  std::vector<std::string> out;
  out.reserve(scopes.items().size());
  for (const Value& item : scopes.items()) {
    const auto scope = item.string();
    if (!scope || !classify_scope(*scope)) {
      return malformed(
          "a scope is a literal (crm.read), a wildcard (crm.*) or printable ASCII without space, quote, * "
          "and backslash");
    }
    out.emplace_back(*scope);
  }
  return out;
}

Result<std::vector<Constraint>> read_constraints(const Value& constraints) {
  if (!constraints.is(Kind::kArray)) return malformed("`constraints` must be an array of constraints");
  std::vector<Constraint> out;
  out.reserve(constraints.items().size());
  for (const Value& item : constraints.items()) {
    CHANCERY_ASSIGN(Constraint constraint, read_constraint(item));
    out.push_back(std::move(constraint));
  }
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  pairs.reserve(out.size());
  for (const Constraint& constraint : out) pairs.emplace_back(constraint.key, constraint.type());
  if (!all_distinct(std::move(pairs))) return malformed("a (key, type) pair of constraints is given twice");
  return out;
}

Result<Authority> read_authority(const Value& object) {
  Authority authority;
  if (const Value* scopes = object.find("scopes")) {
    CHANCERY_ASSIGN(authority.scopes, read_scopes(*scopes));
  }
  if (const Value* constraints = object.find("constraints")) {
    CHANCERY_ASSIGN(authority.constraints, read_constraints(*constraints));
  }
  return authority;
}

namespace {

// A misspelt `constraints` must not read as none.
Status check_members(const Value& object) {
  if (object.has_only({"type", "scopes", "constraints"})) return {};
  return malformed("an agent_delegation has `type`, `scopes` and `constraints` only");
}

}  // namespace

Result<Authority> read_detail(const Value& detail) {
  const Value* type = detail.find("type");
  if (type == nullptr || type->string() != "agent_delegation") {
    return malformed("the one authorization detail must have `type` agent_delegation");
  }
  if (detail.find("scopes") == nullptr) return malformed("an agent_delegation has `scopes`");
  CHANCERY_TRY(check_members(detail));
  return read_authority(detail);
}

json::Node to_json(const Constraint& constraint) {
  json::Node node = json::Node::object({{"key", constraint.key}});
  if (const auto* rank = std::get_if<Rank>(&constraint.rule)) node.set("order", string_array(rank->order));
  node.set(std::string(constraint.type()), rule_node(constraint.rule));
  return node;
}

json::Node to_json(const Authority& authority) {
  json::Node constraints = json::Node::array();
  for (const Constraint& constraint : authority.constraints) constraints.push_back(to_json(constraint));
  return json::Node::object({{"type", "agent_delegation"},
                             {"scopes", string_array(authority.scopes)},
                             {"constraints", std::move(constraints)}});
}

std::string rule_jcs(const Constraint& constraint) {
  if (const auto* rank = std::get_if<Rank>(&constraint.rule)) {
    return json::to_jcs(json::Node::object({{"order", string_array(rank->order)}, {"rank", rank->value}}));
  }
  return json::to_jcs(rule_node(constraint.rule));
}

Result<Authority> Authority::parse(std::string_view json) {
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(json));
  if (!document.root().is(Kind::kObject))
    return malformed("an authority is a JSON object with `scopes` and `constraints`");
  CHANCERY_TRY(check_members(document.root()));
  return read_authority(document.root());
}

std::string Authority::jcs() const { return json::to_jcs(to_json(*this)); }

}  // namespace chancery
