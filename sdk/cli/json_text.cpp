#include "sdk/cli/json_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

#include "sdk/json/writer.hpp"

namespace chancery::cli {
namespace {

using json::Value;

void append_unit(std::string& out, std::uint32_t unit) {
  std::array<char, 8> text;
  std::snprintf(text.data(), text.size(), "\\u%04x", static_cast<unsigned>(unit));
  out += text.data();
}

void append_code_point(std::string& out, std::uint32_t code) {
  constexpr std::uint32_t kReplacement = 0xFFFD;
  if ((code >= 0xD800 && code < 0xE000) || code > 0x10FFFF) code = kReplacement;
  if (code < 0x10000) return append_unit(out, code);
  append_unit(out, 0xD800 + ((code - 0x10000) >> 10));
  append_unit(out, 0xDC00 + ((code - 0x10000) & 0x3FF));
}

// The code point at the front of valid UTF-8, which is taken off.
std::uint32_t take_code_point(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  std::uint32_t code = size == 1 ? lead : lead & (0x7Fu >> size);
  for (std::size_t i = 1; i < size && i < text.size(); ++i)
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3F);
  text.remove_prefix(std::min(size, text.size()));
  return code;
}

void append_indented(std::string& out, const Value& value, std::size_t depth);

void start_line(std::string& out, std::size_t depth) { out.append("\n").append(2 * depth, ' '); }

void append_array(std::string& out, const Value& array, std::size_t depth) {
  out += '[';
  for (const Value& item : array.items()) {
    if (out.back() != '[') out += ',';
    start_line(out, depth + 1);
    append_indented(out, item, depth + 1);
  }
  start_line(out, depth);
  out += ']';
}

void append_object(std::string& out, const Value& object, std::size_t depth) {
  out += '{';
  for (const json::Member& member : object.members()) {
    if (out.back() != '{') out += ',';
    start_line(out, depth + 1);
    json::append_string(out, member.name);
    out += ": ";
    append_indented(out, member.value, depth + 1);
  }
  start_line(out, depth);
  out += '}';
}

void append_indented(std::string& out, const Value& value, std::size_t depth) {
  const bool nested = !value.items().empty() || !value.members().empty();
  if (!nested) {
    out += json::to_jcs(value);
  } else if (value.is(Value::Kind::kArray)) {
    append_array(out, value, depth);
  } else {
    append_object(out, value, depth);
  }
}

}  // namespace

std::string ascii_json(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    const std::uint32_t code = take_code_point(json);
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

std::string indented_json(const Value& value) {
  std::string out;
  append_indented(out, value, 0);
  return out;
}

}  // namespace chancery::cli
