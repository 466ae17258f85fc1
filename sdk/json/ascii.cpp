#include "sdk/json/ascii.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

#include "sdk/base/utf8.hpp"

namespace chancery::json {
namespace {

void append_unit(std::string& out, std::uint32_t unit) {
  std::array<char, 8> text;
  std::snprintf(text.data(), text.size(), "\\u%04x", static_cast<unsigned>(unit));
  out += text.data();
}

void append_code_point(std::string& out, std::uint32_t code) {
  if (code < 0x10000) return append_unit(out, code);
  append_unit(out, 0xD800 + ((code - 0x10000) >> 10));
  append_unit(out, 0xDC00 + ((code - 0x10000) & 0x3FF));
}

}  // namespace

std::string ascii_json(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    const CodePoint point = decode_utf8(json);
    constexpr std::uint32_t kReplacement = 0xFFFD;
    const std::uint32_t code = point.size == 0 ? kReplacement : point.value;
    json.remove_prefix(std::max<std::size_t>(point.size, 1));
    if (code < 0x20) {
      out += ' ';  // JSON has control characters between its tokens only
    } else if (code < 0x7F) {
      out += static_cast<char>(code);
    } else {
      append_code_point(out, code);
    }
  }
  return out;
}

}  // namespace chancery::json
