#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace chancery::redaction {

/// How a kind of secret looks.
struct SecretPattern {
  std::string_view name;  ///< for people; docs/operations/logging.md lists the same

  /// In RE2's syntax, an octet a character. What the first group matches stays in front of `[redacted]`, and what a
  /// second one matches behind it.
  std::string_view expression;

  /// Texts of three octets and more, a space between two: one of them stands in each match, behind nothing but `before`.
  /// They are looked for in one pass, and the expression only where one of them is.
  std::string_view marks;

  enum class Case : std::uint8_t { kExact, kAny };
  Case marks_case = Case::kExact;

  /// The characters between a match's beginning and its mark, as in the brackets of an expression, and how many.
  std::string_view before = {};
  std::size_t most_before = 0;

  /// Characters of which a match begins with as many as there are: when there is none at one mark, there is none at the
  /// others in the same run. It keeps the search linear.
  std::string_view run = {};

  /// Whether a digit must be in it, which keeps names of many words out.
  bool wants_digit = false;
};

/// What is redacted wherever it stands, whatever the configuration says.
[[nodiscard]] std::span<const SecretPattern> secret_patterns() noexcept;

}  // namespace chancery::redaction
