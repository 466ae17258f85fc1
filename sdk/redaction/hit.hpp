#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chancery::redaction {

/// What stands where a secret was.
inline constexpr std::string_view kRedacted = "[redacted]";

/// A part of a text, in octets.
struct Extent {
  std::size_t begin = 0;
  std::size_t end = 0;  ///< behind it

  [[nodiscard]] std::size_t size() const noexcept { return end - begin; }
  friend bool operator==(const Extent&, const Extent&) = default;
};

/// How something was found out to be secret.
enum class HitKind : std::uint8_t {
  kKnown,       ///< a value that is known to be one
  kPattern,     ///< it looks like a kind of secret
  kConfigured,  ///< an expression of the configuration
  kNamed,       ///< the member of a JSON object is named as passwords, keys or tokens are
  kEntropy,     ///< as good as random
  kPersonal,    ///< data of a person
  kField,       ///< a field that was listed
};

/// `known`, `pattern`, ...: stable, for logs and audit entries.
[[nodiscard]] std::string_view hit_kind_name(HitKind kind) noexcept;

/// Where a secret stands, and what is known of it. Has no octet of the secret, so that it may be logged.
struct Hit {
  HitKind kind = HitKind::kPattern;
  std::string name;   ///< of the known secret, or of the kind
  Extent extent{};    ///< within the text, or within the string that `where` names
  std::string where;  ///< a JSON pointer when the text was read as JSON, else empty
};

/// The same in order, those that overlap or touch made one.
[[nodiscard]] std::vector<Extent> merged(std::vector<Extent> extents);

/// `text` with `[redacted]` in place of each. Extents that overlap or touch become one.
[[nodiscard]] std::string without(std::string_view text, std::span<const Hit> hits);

}  // namespace chancery::redaction
