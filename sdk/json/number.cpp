#include "sdk/json/number.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <span>

namespace chancery::json {
namespace {

// Room for a sign, 17 digits, "0." with six zeros or twenty-one integer digits, an exponent.
constexpr std::size_t kMaxNumberSize = 40;

// Writes the ECMAScript form (ECMA-262, Number::toString) into `out` and returns its length.
std::size_t format(double value, std::span<char, kMaxNumberSize> out) noexcept {
  if (!std::isfinite(value)) std::abort();
  if (value == 0) {
    out[0] = '0';
    return 1;
  }
  // std::to_chars gives the shortest digits that read back exactly, as ECMAScript wants them: d.ddde±xx.
  char shortest[kMaxNumberSize];
  const auto written =
      std::to_chars(shortest, shortest + sizeof shortest, std::abs(value), std::chars_format::scientific);
  char digits[20];
  int count = 0;
  const char* p = shortest;
  for (; *p != 'e'; ++p) {
    if (*p != '.') digits[count++] = *p;
  }
  int exponent = 0;
  std::from_chars(p[1] == '+' ? p + 2 : p + 1, written.ptr, exponent);

  char* o = out.data();
  const auto put = [&](char c) { *o++ = c; };
  const auto put_digits = [&](int from, int to) {
    for (int i = from; i < to; ++i) put(digits[i]);
  };
  if (value < 0) put('-');
  const int point = exponent + 1;  // digits before the decimal point
  if (count <= point && point <= 21) {
    put_digits(0, count);
    for (int i = count; i < point; ++i) put('0');
  } else if (0 < point && point <= 21) {
    put_digits(0, point);
    put('.');
    put_digits(point, count);
  } else if (-6 < point && point <= 0) {
    put('0');
    put('.');
    for (int i = point; i < 0; ++i) put('0');
    put_digits(0, count);
  } else {
    put(digits[0]);
    if (count > 1) {
      put('.');
      put_digits(1, count);
    }
    put('e');
    put(exponent < 0 ? '-' : '+');
    o = std::to_chars(o, out.data() + out.size(), std::abs(exponent)).ptr;
  }
  return static_cast<std::size_t>(o - out.data());
}

}  // namespace

void append_number(std::string& out, double value) {
  char text[kMaxNumberSize];
  out.append(text, format(value, text));
}

bool is_canonical_number(std::string_view text, double value) noexcept {
  char canonical[kMaxNumberSize];
  return text == std::string_view(canonical, format(value, canonical));
}

}  // namespace chancery::json
