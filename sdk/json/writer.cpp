#include "sdk/json/writer.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "sdk/json/number.hpp"

namespace chancery::json {
namespace {

template <typename... Callables>
struct Overload : Callables... {
  using Callables::operator()...;
};
template <typename... Callables>
Overload(Callables...) -> Overload<Callables...>;

// Writes `count` elements, separated by commas, between two brackets.
template <typename Each>
void append_sequence(std::string& out, char open, char close, std::size_t count, Each each) {
  out += open;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += ',';
    each(i);
  }
  out += close;
}

// Writes an object's members in JCS order; `name` and `append_value` give the i-th as it was built.
template <typename Name, typename AppendValue>
void append_members(std::string& out, std::size_t count, Name name, AppendValue append_value) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, utf16_less, name);
  if (std::ranges::adjacent_find(order, {}, name) != order.end()) std::abort();
  append_sequence(out, '{', '}', count, [&](std::size_t i) {
    append_string(out, name(order[i]));
    out += ':';
    append_value(order[i]);
  });
}

void append_jcs(std::string& out, const Value& value) {
  using enum Value::Kind;
  switch (value.kind()) {
    case kNull:
      out += "null";
      return;
    case kBool:
      out += *value.boolean() ? "true" : "false";
      return;
    case kNumber:
      append_number(out, *value.number());
      return;
    case kString:
      append_string(out, *value.string());
      return;
    case kArray: {
      const auto items = value.items();
      append_sequence(out, '[', ']', items.size(), [&](std::size_t i) { append_jcs(out, items[i]); });
      return;
    }
    case kObject: {
      const auto members = value.members();
      append_members(
          out, members.size(), [&](std::size_t i) { return members[i].name; },
          [&](std::size_t i) { append_jcs(out, members[i].value); });
      return;
    }
  }
}

}  // namespace

Node Node::array(std::initializer_list<Node> items) { return array(std::vector<Node>(items)); }

Node Node::array(std::vector<Node> items) {
  Node node;
  node.value_ = std::move(items);
  return node;
}

Node Node::object(std::initializer_list<NamedNode> members) {
  Node node;
  node.value_ = Object();
  for (const NamedNode& member : members) node.set(member.name, member.value);
  return node;
}

Node Node::canonical(std::string jcs) {
  Node node;
  node.value_ = Canonical{std::move(jcs)};
  return node;
}

Node Node::copy(const Value& value) { return canonical(to_jcs(value)); }

void Node::push_back(Node item) { std::get<Array>(value_).push_back(std::move(item)); }

void Node::set(std::string name, Node value) {
  auto& object = std::get<Object>(value_);
  object.names.push_back(std::move(name));
  object.values.push_back(std::move(value));
}

void append_string(std::string& out, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20) {
          out += c;
        } else {
          out += "\\u00";
          out += kDigits[static_cast<unsigned char>(c) >> 4];
          out += kDigits[c & 15];
        }
    }
  }
  out += '"';
}

void append_jcs(std::string& out, const Node& node) {
  std::visit(
      Overload{
          [&](std::nullptr_t) { out += "null"; },
          [&](bool truth) { out += truth ? "true" : "false"; },
          [&](double number) { append_number(out, number); },
          [&](const std::string& text) { append_string(out, text); },
          [&](const Node::Canonical& canonical) { out += canonical.jcs; },
          [&](const Node::Array& items) {
            append_sequence(out, '[', ']', items.size(), [&](std::size_t i) { append_jcs(out, items[i]); });
          },
          [&](const Node::Object& object) {
            append_members(
                out, object.names.size(), [&](std::size_t i) -> std::string_view { return object.names[i]; },
                [&](std::size_t i) { append_jcs(out, object.values[i]); });
          },
      },
      node.value_);
}

std::string to_jcs(const Node& node) {
  std::string out;
  append_jcs(out, node);
  return out;
}

std::string to_jcs(const Value& value) {
  std::string out;
  append_jcs(out, value);
  return out;
}

}  // namespace chancery::json
