#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <chancery/result.hpp>

namespace re2 {
class RE2;
}

namespace chancery::schema {

/// Why a pattern cannot be used.
struct PatternError {
  std::string message;
};

/// A regular expression of ECMA-262 (flag u), matched by RE2 in time linear in the text. A value: copies share what was compiled.
class Pattern {
 public:
  /// \return the pattern, or why not: it is malformed, or has what no linear matcher has (look-around, back-references)
  [[nodiscard]] static Result<Pattern, PatternError> compile(std::string_view ecma);

  /// Whether it matches somewhere in `text`, which is UTF-8.
  [[nodiscard]] bool found_in(std::string_view text) const;
  /// As it was written.
  [[nodiscard]] const std::string& source() const noexcept { return source_; }

 private:
  std::string source_;
  std::shared_ptr<const re2::RE2> matcher_;
};

/// The same expression in RE2's syntax: some escapes are spelled otherwise, and `.`, `\s` and `[]` mean other things there.
[[nodiscard]] Result<std::string, PatternError> to_re2_syntax(std::string_view ecma);

}  // namespace chancery::schema
