#include "sdk/cli/json_text.hpp"

#include <array>
#include <charconv>

#include "sdk/json/writer.hpp"

namespace chancery::cli {
namespace {

using json::Value;

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

// Whether a number is a literal of its binary64 value: 2^53+2 is, 2^53+1 is not.
bool is_exact(const Value& value) {
  if (!value.number()) return false;
  std::array<char, 320> text;  // room for the largest double
  const auto end = std::to_chars(text.begin(), text.end(), *value.number(), std::chars_format::fixed);
  return value.source() == std::string_view(text.data(), end.ptr);
}

}  // namespace

Result<json::Node> json_or_text(std::string_view argument) {
  const auto document = json::Document::parse_borrowed(argument);
  if (document) return json::Node::copy(document->root());
  const Error ambiguous{ErrorCode::kInvalidArgument, document.error().what};
  if (document.error().code != ErrorCode::kMalformed) return ambiguous;
  const auto large = json::Document::parse_borrowed(argument, {.allow_unsafe_integers = true});
  if (!large) return json::Node(argument);
  return is_exact(large->root()) ? Result<json::Node>(json::Node::copy(large->root())) : ambiguous;
}

std::string indented_json(const Value& value) {
  std::string out;
  append_indented(out, value, 0);
  return out;
}

}  // namespace chancery::cli
