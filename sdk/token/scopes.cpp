#include <algorithm>

#include <chancery/token.hpp>

namespace chancery {
namespace {

constexpr bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
constexpr bool is_segment_char(char c) noexcept {
  return is_lower(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

// Counts dot-separated segments [a-z][a-z0-9_-]*; 0 when `text` is not made of such segments only.
std::size_t count_segments(std::string_view text) noexcept {
  std::size_t segments = 1;
  bool at_start = true;
  for (const char c : text) {
    if (at_start ? !is_lower(c) : !is_segment_char(c) && c != '.') return 0;
    at_start = c == '.';
    segments += at_start;
  }
  return at_start ? 0 : segments;
}

constexpr bool is_opaque_char(char c) noexcept {
  return c > ' ' && c <= '~' && c != '"' && c != '*' && c != '\\';
}

}  // namespace

std::optional<ScopeForm> classify_scope(std::string_view scope) noexcept {
  if (count_segments(scope) >= 2) return ScopeForm::kLiteral;
  if (scope.ends_with(".*") && count_segments(scope.substr(0, scope.size() - 2)) >= 1)
    return ScopeForm::kWildcard;
  if (!scope.empty() && std::ranges::all_of(scope, is_opaque_char)) return ScopeForm::kOpaque;
  return std::nullopt;
}

bool scope_covers(std::string_view outer, std::string_view inner) noexcept {
  const auto form = classify_scope(outer);
  if (!form) return false;
  if (outer == inner) return true;
  if (*form != ScopeForm::kWildcard || !inner.starts_with(outer.substr(0, outer.size() - 1))) return false;
  const auto inner_form = classify_scope(inner);
  return inner_form == ScopeForm::kLiteral || inner_form == ScopeForm::kWildcard;
}

std::optional<QualifiedKey> qualified_key(std::string_view key) noexcept {
  const std::size_t divide = key.find('#');
  if (divide == std::string_view::npos || divide + 1 == key.size()) return std::nullopt;
  const std::string_view scope = key.substr(0, divide);
  const auto form = classify_scope(scope);
  if (!form || *form == ScopeForm::kOpaque) return std::nullopt;
  return QualifiedKey{scope, key.substr(divide + 1)};
}

bool key_reaches(std::string_view key, std::string_view scope) noexcept {
  const auto qualified = qualified_key(key);
  return !qualified || scope_covers(qualified->scope, scope) || scope_covers(scope, qualified->scope);
}

}  // namespace chancery
