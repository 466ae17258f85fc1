#include "sdk/base/printable.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include "sdk/base/utf8.hpp"

namespace chancery {
namespace {

bool is_hazardous(std::uint32_t code) noexcept {
  const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
  const bool bidi = (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
                    code == 0x200E || code == 0x200F || code == 0x061C;
  return control || bidi || code == 0x2028 || code == 0x2029;
}

// What is not drawn, or as nothing (Unicode's Default_Ignorable_Code_Point, as ranges that hold all of it that is assigned; the blank of
// Braille).
bool is_invisible(std::uint32_t code) noexcept {
  struct Range {
    std::uint32_t first;
    std::uint32_t last;
  };
  constexpr std::array<Range, 17> kRanges{{{0xAD, 0xAD},
                                           {0x34F, 0x34F},
                                           {0x115F, 0x1160},
                                           {0x17B4, 0x17B5},
                                           {0x180B, 0x180F},
                                           {0x200B, 0x200D},
                                           {0x2060, 0x206F},
                                           {0x2800, 0x2800},
                                           {0x3164, 0x3164},
                                           {0xFE00, 0xFE0F},
                                           {0xFEFF, 0xFEFF},
                                           {0xFFA0, 0xFFA0},
                                           {0xFFF0, 0xFFFB},
                                           {0x1BCA0, 0x1BCA3},
                                           {0x1D159, 0x1D159},
                                           {0x1D173, 0x1D17A},
                                           {0xE0000, 0xE0FFF}}};
  return std::ranges::any_of(
      kRanges, [code](const Range& range) { return code >= range.first && code <= range.last; });
}

std::string escape(char letter, std::uint32_t code) {
  std::array<char, 16> text;
  const int size = std::snprintf(text.data(), text.size(), "\\%c{%X}", letter, code);
  return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const CodePoint decoded = decode_utf8(text);
    if (decoded.size == 0) {
      out += escape('x', static_cast<unsigned char>(text.front()));
      text.remove_prefix(1);
      continue;
    }
    if (is_hazardous(decoded.value) || is_invisible(decoded.value)) {
      out += escape('u', decoded.value);
    } else {
      out += text.substr(0, decoded.size);
    }
    text.remove_prefix(decoded.size);
  }
  return out;
}

std::string joined(std::span<const std::string> texts) {
  std::string out;
  for (const std::string& text : texts) out.append(out.empty() ? "" : ", ").append(text);
  return out;
}

std::string utc_text(double seconds_since_1970) {
  using namespace std::chrono;
  std::array<char, 320> text;  // room for the largest double, written out
  constexpr double kEndOf9999 = 253402300800.0;
  int size = 0;
  if (!(seconds_since_1970 >= 0 && seconds_since_1970 < kEndOf9999)) {
    size = std::snprintf(text.data(), text.size(), "%.0f", seconds_since_1970);
  } else {
    const sys_seconds at{seconds{static_cast<std::int64_t>(seconds_since_1970)}};
    const auto day = floor<days>(at);
    const year_month_day date{day};
    const hh_mm_ss time{at - day};
    size = std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ",
                         static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                         static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                         static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()));
  }
  return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace chancery
