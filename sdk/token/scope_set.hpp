#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace chancery {

/// Scopes arranged so that the question whether one of them covers another takes logarithmic time: a token's
/// lists are as long as its sender likes, within 65,536 characters. Borrows the scopes.
class ScopeSet {
 public:
  explicit ScopeSet(const std::vector<std::string>& scopes);
  explicit ScopeSet(std::vector<std::string>&&) = delete;

  /// Whether scope_covers(s, inner) for one s of the set.
  [[nodiscard]] bool covers(std::string_view inner) const noexcept;
  /// The same for an s other than `inner` itself.
  [[nodiscard]] bool covers_otherwise(std::string_view inner) const noexcept;
  /// The scopes of the set that `outer` covers, sorted. Takes logarithmic time and that of the answer.
  [[nodiscard]] std::vector<std::string_view> within(std::string_view outer) const;

 private:
  std::vector<std::string_view> exact_;     // sorted; scopes of a valid form
  std::vector<std::string_view> prefixes_;  // sorted; the wildcards among them without the `*`
};

}  // namespace chancery
