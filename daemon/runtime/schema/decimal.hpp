#pragma once

#include <cstdint>

namespace chancery::schema {

/// A number as its shortest decimal digits say it: `digits` × 10^`exponent`. So 0.01 is one hundredth, though no binary64 is.
struct Decimal {
  std::uint64_t digits = 0;  ///< at most 17 of them
  int exponent = 0;
};

/// The magnitude of a finite number; the sign is left out.
[[nodiscard]] Decimal decimal_of(double value) noexcept;

/// Whether `value` is a whole multiple of `divisor`, exactly.
/// \param divisor  not zero
[[nodiscard]] bool is_multiple(const Decimal& value, const Decimal& divisor) noexcept;

}  // namespace chancery::schema
