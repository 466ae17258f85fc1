#include "daemon/runtime/schema/decimal.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace chancery::schema {
namespace {

// Products of two numbers of 17 digits need 113 bits.
__extension__ using Wide = unsigned __int128;

constexpr int kMostDigits = 17;

Wide power_of_ten(int exponent) noexcept {
  Wide power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

}  // namespace

Decimal decimal_of(double value) noexcept {
  // d.ddde±xx: the shortest digits that read back as this very number.
  std::array<char, 40> text{};
  const char* const end =
      std::to_chars(text.data(), text.data() + text.size(), std::abs(value), std::chars_format::scientific)
          .ptr;
  Decimal decimal;
  int fraction = 0;
  bool after_point = false;
  const char* p = text.data();
  for (; *p != 'e'; ++p) {
    if (*p == '.') {
      after_point = true;
      continue;
    }
    decimal.digits = decimal.digits * 10 + static_cast<std::uint64_t>(*p - '0');
    if (after_point) ++fraction;
  }
  int exponent = 0;
  std::from_chars(p[1] == '+' ? p + 2 : p + 1, end, exponent);
  decimal.exponent = exponent - fraction;
  return decimal;
}

bool is_multiple(const Decimal& value, const Decimal& divisor) noexcept {
  if (value.digits == 0) return true;
  const int shift = value.exponent - divisor.exponent;
  if (shift < 0) {
    // More tens in the divisor than digits in the value: it is the larger of the two.
    if (-shift > kMostDigits) return false;
    return value.digits % (divisor.digits * power_of_ten(-shift)) == 0;
  }
  Wide rest = value.digits % divisor.digits;
  for (int i = 0; i < shift && rest != 0; ++i) rest = rest * 10 % divisor.digits;
  return rest == 0;
}

}  // namespace chancery::schema
