#pragma once

#include <span>
#include <string_view>

namespace chancery::telemetry {

/// How a kind of secret looks, in RE2's syntax. What the first group matches stays in front of `[redacted]`, and what a
/// second one matches behind it.
struct SecretPattern {
  std::string_view name;  ///< for people; docs/operations/logging.md lists the same
  std::string_view expression;
};

/// What is redacted wherever it stands, whatever the configuration says.
[[nodiscard]] std::span<const SecretPattern> secret_patterns() noexcept;

}  // namespace chancery::telemetry
