#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include <chancery/token.hpp>

#include "sdk/base/printable.hpp"
#include "sdk/token/authority_json.hpp"
#include "sdk/token/extension_rules.hpp"
#include "sdk/token/scope_set.hpp"

namespace chancery {
namespace {

constexpr Error kConflict{
    ErrorCode::kNoMeet,
    "a requested constraint and the parent's have nothing in common: ask for a value within the parent's"};

// Sorted, since a hostile list is as long as a token can be.
std::vector<std::string_view> sorted(const std::vector<std::string>& values) {
  std::vector<std::string_view> out(values.begin(), values.end());
  std::ranges::sort(out);
  return out;
}

bool is_subset(const std::vector<std::string>& inner, const std::vector<std::string>& outer) {
  const auto all = sorted(outer);
  return std::ranges::all_of(
      inner, [&](const std::string& value) { return std::ranges::binary_search(all, value); });
}

std::ptrdiff_t position(const Rank& rank) {
  return std::ranges::find(rank.order, rank.value) - rank.order.begin();
}

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
  if (const auto* p = std::get_if<Prefix>(&parent))
    return std::get<Prefix>(child).value.starts_with(p->value);
  if (const auto* p = std::get_if<Rank>(&parent)) {
    const auto& c = std::get<Rank>(child);
    return c.order == p->order && position(c) <= position(*p);
  }
  if (const auto* p = std::get_if<RateBound>(&parent)) return narrows(*p, std::get<RateBound>(child));
  if (const auto* p = std::get_if<TimeWindow>(&parent)) return narrows(*p, std::get<TimeWindow>(child));
  return std::get<UnknownRule>(parent) == std::get<UnknownRule>(child);
}

// Constraints by key and type, sorted like the scopes and for the same reason. Borrows them.
class ConstraintSet {
 public:
  explicit ConstraintSet(const std::vector<Constraint>& constraints) {
    by_name_.reserve(constraints.size());
    for (const Constraint& constraint : constraints)
      by_name_.push_back({{constraint.key, constraint.type()}, &constraint});
    std::ranges::stable_sort(by_name_, {}, &Named::name);
  }

  [[nodiscard]] const Constraint* find_same(const Constraint& like) const {
    const Name name{like.key, like.type()};
    const auto found = std::ranges::lower_bound(by_name_, name, {}, &Named::name);
    const bool same = found != by_name_.end() && found->name == name &&
                      found->constraint->rule.index() == like.rule.index();
    return same ? found->constraint : nullptr;
  }

 private:
  using Name = std::pair<std::string_view, std::string_view>;
  struct Named {
    Name name;
    const Constraint* constraint;
  };
  std::vector<Named> by_name_;
};

// Choices intersect, exclusions unite; each value once.
Membership meet_members(const Membership& parent, const Membership& request) {
  Membership both{parent.negated, {}};
  if (parent.negated) both.values = parent.values;
  const auto parents = sorted(parent.values);
  std::set<std::string_view> taken;
  for (const std::string& value : request.values) {
    const bool in_parent = std::ranges::binary_search(parents, value);
    if (in_parent != parent.negated && taken.insert(value).second) both.values.push_back(value);
  }
  return both;
}

Result<ConstraintRule> meet_rules(const ConstraintRule& parent, const ConstraintRule& request) {
  if (const auto* p = std::get_if<Membership>(&parent)) {
    return ConstraintRule(meet_members(*p, std::get<Membership>(request)));
  }
  if (const auto* p = std::get_if<TimeWindow>(&parent)) {
    if (auto both = meet(*p, std::get<TimeWindow>(request))) return ConstraintRule(*std::move(both));
    return kConflict;
  }
  // For every other type the meet is one of the two, or there is none.
  if (rule_narrows(parent, request)) return request;
  if (rule_narrows(request, parent)) return parent;
  return kConflict;
}

std::vector<std::string> meet_scopes(const std::vector<std::string>& parent,
                                     const std::vector<std::string>& request) {
  const ScopeSet parents(parent);
  const ScopeSet requested(request);
  std::vector<std::string> common;
  std::ranges::copy_if(request, std::back_inserter(common),
                       [&](auto& scope) { return parents.covers(scope); });
  std::ranges::copy_if(parent, std::back_inserter(common),
                       [&](auto& scope) { return requested.covers(scope); });
  const ScopeSet all(common);
  std::set<std::string> out;
  for (const std::string& scope : common) {
    if (!all.covers_otherwise(scope)) out.insert(scope);
  }
  return {out.begin(), out.end()};
}

}  // namespace

std::optional<Excess> first_excess(const Authority& parent, const Authority& child) {
  const ScopeSet allowed(parent.scopes);
  for (const std::string& scope : child.scopes) {
    if (!allowed.covers(scope)) return Excess{Excess::Kind::kScope, scope, joined(parent.scopes), {}};
  }
  const ConstraintSet held(child.constraints);
  for (const Constraint& bound : parent.constraints) {
    const Constraint* own = held.find_same(bound);
    if (own != nullptr && rule_narrows(bound.rule, own->rule)) continue;
    Excess excess{own == nullptr ? Excess::Kind::kConstraintMissing : Excess::Kind::kConstraintWider,
                  bound.key + " " + std::string(bound.type()),
                  rule_jcs(bound),
                  {}};
    if (own != nullptr) excess.asked = rule_jcs(*own);
    return excess;
  }
  return std::nullopt;
}

bool subsumes(const Authority& parent, const Authority& child) { return !first_excess(parent, child); }

Result<Authority> meet(const Authority& parent, const Authority& request) {
  Authority both;
  both.scopes = meet_scopes(parent.scopes, request.scopes);
  const ConstraintSet bounds(parent.constraints);
  const ConstraintSet requested(request.constraints);
  for (const Constraint& bound : parent.constraints) {
    const Constraint* asked = requested.find_same(bound);
    if (asked == nullptr) {
      both.constraints.push_back(bound);
      continue;
    }
    CHANCERY_ASSIGN(ConstraintRule rule, meet_rules(bound.rule, asked->rule));
    both.constraints.push_back({bound.key, std::move(rule)});
  }
  for (const Constraint& asked : request.constraints) {
    if (bounds.find_same(asked) == nullptr) both.constraints.push_back(asked);
  }
  return both;
}

}  // namespace chancery
