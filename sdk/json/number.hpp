#pragma once

#include <string>
#include <string_view>

#include <chancery/result.hpp>

namespace chancery::json {

/// The largest magnitude up to which every integer is exact in binary64: 2^53 - 1.
inline constexpr double kMaxSafeInteger = 9007199254740991.0;

/// Appends the RFC 8785 (ECMAScript) form of a finite number: "1e+21", "0.000001", "-5e-324"; minus zero
/// is "0". Aborts on NaN and infinities: they have no form.
void append_number(std::string& out, double value);

/// Whether `text`, a JSON number whose value is `value`, is its own canonical form.
[[nodiscard]] bool is_canonical_number(std::string_view text, double value) noexcept;

}  // namespace chancery::json
