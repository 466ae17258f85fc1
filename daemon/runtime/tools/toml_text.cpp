#include "daemon/runtime/tools/toml_text.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "sdk/json/number.hpp"

namespace chancery::tools {
namespace {

bool is_bare(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

std::string escape(unsigned char octet) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  return std::string("\\u00") + kDigits[octet >> 4] + kDigits[octet & 15];
}

std::string number_text(const json::Value& value) {
  if (const auto whole = value.integer()) return std::to_string(*whole);
  std::string text;
  json::append_number(text, *value.number());
  return text;
}

}  // namespace

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (octet < ' ' || octet == 127) {
      out += escape(octet);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string toml_key(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, is_bare) ? std::string(key) : toml_string(key);
}

std::string toml_value(const json::Value& value) {
  switch (value.kind()) {
    case json::Value::Kind::kNull:
      break;
    case json::Value::Kind::kBool:
      return *value.boolean() ? "true" : "false";
    case json::Value::Kind::kNumber:
      return number_text(value);
    case json::Value::Kind::kString:
      return toml_string(*value.string());
    case json::Value::Kind::kArray: {
      std::string out = "[";
      for (const json::Value& item : value.items()) out += (out.size() == 1 ? "" : ", ") + toml_value(item);
      return out + "]";
    }
    case json::Value::Kind::kObject: {
      std::string out = "{";
      for (const json::Member& member : value.members()) {
        out += (out.size() == 1 ? " " : ", ") + toml_key(member.name) + " = " + toml_value(member.value);
      }
      return out.size() == 1 ? "{}" : out + " }";
    }
  }
  std::abort();  // null was left out by whoever made the value
}

}  // namespace chancery::tools
