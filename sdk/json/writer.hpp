#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sdk/json/reader.hpp"

namespace chancery::json {

struct NamedNode;

/// A JSON value to be written: an owning tree. Members may be given in any order.
/// `Node::object({{"n", 1}, {"list", Node::array({"a", true, nullptr})}})`
class Node {
 public:
  Node() = default;
  Node(std::nullptr_t) {}
  Node(std::same_as<bool> auto value) : value_(value) {}
  template <typename Number>
  requires(std::integral<Number> && !std::same_as<Number, bool>) || std::floating_point<Number> Node(
                                                                        Number value)
      : value_(static_cast<double>(value)) {}
  Node(std::string value) : value_(std::move(value)) {}
  Node(std::string_view value) : value_(std::string(value)) {}
  Node(const char* value) : value_(std::string(value)) {}

  static Node array(std::initializer_list<Node> items = {});
  static Node array(std::vector<Node> items);
  static Node object(std::initializer_list<NamedNode> members = {});
  /// A value that is in JCS form already; borrowed from nobody.
  static Node canonical(std::string jcs);
  /// A copy of a parsed value.
  static Node copy(const Value& value);

  /// Adds an element; only for arrays.
  void push_back(Node item);
  /// Adds a member that is not there yet; only for objects.
  void set(std::string name, Node value);

 private:
  friend void append_jcs(std::string& out, const Node& node);
  struct Canonical {
    std::string jcs;
  };
  using Array = std::vector<Node>;
  struct Object {
    std::vector<std::string> names;
    std::vector<Node> values;
  };
  std::variant<std::nullptr_t, bool, double, std::string, Canonical, Array, Object> value_ = nullptr;
};

struct NamedNode {
  std::string name;
  Node value;
};

/// The RFC 8785 canonical form. Aborts on duplicate members and on numbers that are not finite: the tree is
/// ours, so these are bugs. Strings must be UTF-8.
[[nodiscard]] std::string to_jcs(const Node& node);

/// The canonical form of a parsed value, whatever the form that it was read in.
[[nodiscard]] std::string to_jcs(const Value& value);

/// Appends a string in JCS form, quotes included.
void append_string(std::string& out, std::string_view text);

}  // namespace chancery::json
