#include "sdk/token/scope_set.hpp"

#include <algorithm>

#include <chancery/token.hpp>

namespace chancery {

ScopeSet::ScopeSet(const std::vector<std::string>& scopes) {
  exact_.reserve(scopes.size());
  for (const std::string& scope : scopes) {
    const auto form = classify_scope(scope);
    if (!form) continue;
    exact_.push_back(scope);
    if (form == ScopeForm::kWildcard)
      prefixes_.push_back(std::string_view(scope).substr(0, scope.size() - 1));
  }
  std::ranges::sort(exact_);
  std::ranges::sort(prefixes_);
}

bool ScopeSet::covers(std::string_view inner) const noexcept {
  return std::ranges::binary_search(exact_, inner) || covers_otherwise(inner);
}

bool ScopeSet::covers_otherwise(std::string_view inner) const noexcept {
  const auto form = classify_scope(inner);
  if (!form || *form == ScopeForm::kOpaque) return false;
  // `a.b.c` is covered by `a.*` and `a.b.*`; so is `a.b.*`, but that is the scope itself.
  const std::size_t end = inner.size() - (form == ScopeForm::kWildcard ? 2 : 0);
  for (std::size_t dot = inner.find('.'); dot < end; dot = inner.find('.', dot + 1)) {
    if (std::ranges::binary_search(prefixes_, inner.substr(0, dot + 1))) return true;
  }
  return false;
}

std::vector<std::string_view> ScopeSet::within(std::string_view outer) const {
  const bool wildcard = classify_scope(outer) == ScopeForm::kWildcard;
  const std::string_view prefix = outer.substr(0, outer.size() - (wildcard ? 1 : 0));
  std::vector<std::string_view> out;
  for (auto at = std::ranges::lower_bound(exact_, prefix); at != exact_.end() && at->starts_with(prefix);
       ++at) {
    if (scope_covers(outer, *at)) out.push_back(*at);
  }
  return out;
}

}  // namespace chancery
