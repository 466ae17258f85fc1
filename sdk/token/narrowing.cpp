#include <algorithm>
#include <set>

#include <chancery/token.hpp>

#include "sdk/token/authority_json.hpp"

namespace chancery {
namespace {

constexpr Error kConflict{ErrorCode::kNoMeet,
                          "a requested constraint and the parent's have nothing in common: ask for a value within the parent's"};

bool contains(const std::vector<std::string>& values, const std::string& value) {
  return std::ranges::find(values, value) != values.end();
}

bool is_subset(const std::vector<std::string>& inner, const std::vector<std::string>& outer) {
  return std::ranges::all_of(inner, [&](const std::string& value) { return contains(outer, value); });
}

std::ptrdiff_t position(const Rank& rank) { return std::ranges::find(rank.order, rank.value) - rank.order.begin(); }

bool lower_is_narrower(NumberBound::Type type) { return type != NumberBound::Type::kMin; }

// Whether `child` is `parent`'s rule or a tighter one. Both are of the same type.
bool rule_narrows(const ConstraintRule& parent, const ConstraintRule& child) {
  if (const auto* p = std::get_if<NumberBound>(&parent)) {
    const auto& c = std::get<NumberBound>(child);
    return lower_is_narrower(p->type) ? c.value <= p->value : c.value >= p->value;
  }
  if (const auto* p = std::get_if<Membership>(&parent)) {
    const auto& c = std::get<Membership>(child);
    return p->negated ? is_subset(p->values, c.values) : is_subset(c.values, p->values);
  }
  if (const auto* p = std::get_if<Prefix>(&parent)) return std::get<Prefix>(child).value.starts_with(p->value);
  if (const auto* p = std::get_if<Rank>(&parent)) {
    const auto& c = std::get<Rank>(child);
    return c.order == p->order && position(c) <= position(*p);
  }
  return std::get<UnknownRule>(parent) == std::get<UnknownRule>(child);
}

const Constraint* find_same(const std::vector<Constraint>& constraints, const Constraint& like) {
  const auto found = std::ranges::find_if(constraints, [&](const Constraint& constraint) {
    return constraint.key == like.key && constraint.rule.index() == like.rule.index() &&
           constraint.type() == like.type();
  });
  return found == constraints.end() ? nullptr : &*found;
}

Result<ConstraintRule> meet_rules(const ConstraintRule& parent, const ConstraintRule& request) {
  if (const auto* p = std::get_if<Membership>(&parent)) {
    Membership both{p->negated, {}};
    const auto& r = std::get<Membership>(request);
    if (p->negated) both.values = p->values;
    for (const std::string& value : r.values) {
      if (p->negated != contains(p->values, value) && !contains(both.values, value)) both.values.push_back(value);
    }
    return ConstraintRule(std::move(both));
  }
  // For every other type the meet is one of the two, or there is none.
  if (rule_narrows(parent, request)) return request;
  if (rule_narrows(request, parent)) return parent;
  return kConflict;
}

std::vector<std::string> meet_scopes(const std::vector<std::string>& parent, const std::vector<std::string>& request) {
  std::set<std::string> common;
  for (const std::string& p : parent) {
    for (const std::string& r : request) {
      if (scope_covers(p, r)) common.insert(r);
      if (scope_covers(r, p)) common.insert(p);
    }
  }
  std::vector<std::string> out;
  for (const std::string& scope : common) {
    const bool redundant = std::ranges::any_of(
        common, [&](const std::string& other) { return other != scope && scope_covers(other, scope); });
    if (!redundant) out.push_back(scope);
  }
  return out;
}

}  // namespace

std::optional<Excess> first_excess(const Authority& parent, const Authority& child) {
  for (const std::string& scope : child.scopes) {
    const bool covered =
        std::ranges::any_of(parent.scopes, [&](const std::string& outer) { return scope_covers(outer, scope); });
    if (!covered) return Excess{Excess::Kind::kScope, scope, {}, {}};
  }
  for (const Constraint& bound : parent.constraints) {
    const Constraint* own = find_same(child.constraints, bound);
    if (own != nullptr && rule_narrows(bound.rule, own->rule)) continue;
    Excess excess{own == nullptr ? Excess::Kind::kConstraintMissing : Excess::Kind::kConstraintWider,
                  bound.key + " " + std::string(bound.type()), rule_jcs(bound), {}};
    if (own != nullptr) excess.asked = rule_jcs(*own);
    return excess;
  }
  return std::nullopt;
}

bool subsumes(const Authority& parent, const Authority& child) { return !first_excess(parent, child); }

Result<Authority> meet(const Authority& parent, const Authority& request) {
  Authority both;
  both.scopes = meet_scopes(parent.scopes, request.scopes);
  for (const Constraint& bound : parent.constraints) {
    const Constraint* asked = find_same(request.constraints, bound);
    if (asked == nullptr) {
      both.constraints.push_back(bound);
      continue;
    }
    CHANCERY_ASSIGN(ConstraintRule rule, meet_rules(bound.rule, asked->rule));
    both.constraints.push_back({bound.key, std::move(rule)});
  }
  for (const Constraint& asked : request.constraints) {
    if (find_same(parent.constraints, asked) == nullptr) both.constraints.push_back(asked);
  }
  return both;
}

}  // namespace chancery
