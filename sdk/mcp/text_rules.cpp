#include "sdk/mcp/text_rules.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "sdk/base/printable.hpp"
#include "sdk/base/utf8.hpp"

namespace chancery::mcp {
namespace {

struct Range {
  std::uint32_t first, last;
};

// U+200C and U+200D stay: several scripts are misspelt without them.
constexpr std::array kHidden{
    Range{0x00, 0x08},       Range{0x0B, 0x0C},       Range{0x0E, 0x1F},       Range{0x7F, 0x9F},
    Range{0xAD, 0xAD},       Range{0x061C, 0x061C},   Range{0x115F, 0x1160},   Range{0x180E, 0x180E},
    Range{0x200B, 0x200B},   Range{0x200E, 0x200F},   Range{0x2028, 0x202E},   Range{0x2060, 0x206F},
    Range{0x3164, 0x3164},   Range{0xFEFF, 0xFEFF},   Range{0xFFA0, 0xFFA0},   Range{0xFFF0, 0xFFFB},
    Range{0x1D173, 0x1D17A}, Range{0xE0000, 0xE0FFF}, Range{0xF0000, 0x10FFFF}};

bool is_hidden(std::uint32_t code) noexcept {
  return std::ranges::any_of(kHidden, [&](const Range& r) { return code >= r.first && code <= r.last; });
}

bool is_name_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.';
}

}  // namespace

bool is_tool_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, is_name_character);
}

bool has_hidden_characters(std::string_view text) noexcept {
  while (!text.empty()) {
    const CodePoint decoded = decode_utf8(text);
    if (decoded.size == 0 || is_hidden(decoded.value)) return true;
    text.remove_prefix(decoded.size);
  }
  return false;
}

bool has_hidden_characters(const json::Value& value) noexcept {
  if (const auto text = value.string()) return has_hidden_characters(*text);
  const auto hides = [](const json::Value& item) { return has_hidden_characters(item); };
  return std::ranges::any_of(value.items(), hides) ||
         std::ranges::any_of(value.members(), [](const json::Member& member) {
           return has_hidden_characters(member.name) || has_hidden_characters(member.value);
         });
}

bool is_visible_ascii(std::string_view text, std::size_t most) noexcept {
  return !text.empty() && text.size() <= most &&
         std::ranges::all_of(text, [](char c) { return c >= 0x21 && c <= 0x7E; });
}

std::string printable_text(std::string_view text, std::size_t most) {
  std::string out = printable(text.substr(0, most));
  if (out.size() <= most) return out;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end;  // not within a character
  out.resize(end);
  return out;
}

}  // namespace chancery::mcp
