#include "daemon/runtime/tools/fields.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "daemon/runtime/schema/pointer.hpp"
#include "daemon/runtime/tools/url.hpp"
#include "sdk/base/edit_distance.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/json/number.hpp"

namespace chancery::tools {
namespace {

constexpr std::size_t kLongestQuote = 64;

std::string in_quotes(std::string_view name) {
  return "\"" + printable(name.substr(0, kLongestQuote)) + (name.size() > kLongestQuote ? "…" : "") + "\"";
}

struct Unit {
  std::string_view name;
  std::uint64_t size;
};
constexpr std::array kTimeUnits{Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000}};
constexpr std::array kOctetUnits{Unit{"", 1}, Unit{"KiB", 1024}, Unit{"MiB", 1024 * 1024}};

// One number of at most nine digits, and one unit.
std::optional<std::uint64_t> number_with_unit(std::string_view text, std::span<const Unit> units) {
  constexpr std::ptrdiff_t kMostDigits = 9;
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end - text.data() > kMostDigits) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  const auto unit = std::ranges::find(units, text, &Unit::name);
  return unit == units.end() ? std::nullopt : std::optional(number * unit->size);
}

LoadError no_json(const toml::node& node, const char* message) {
  return {ErrorCode::kConfigInvalid, {}, line_of(node), message};
}

}  // namespace

int line_of(const toml::node& node) { return static_cast<int>(node.source().begin.line); }

Result<json::Node, LoadError> to_json(const toml::node& node) {
  if (const auto value = node.value_exact<bool>()) return json::Node(*value);
  if (const auto value = node.value_exact<std::string>()) return json::Node(*value);
  const auto number = node.value_exact<double>();
  const auto whole = node.value_exact<std::int64_t>();
  if (number || whole) {
    const double value = number ? *number : static_cast<double>(*whole);
    const bool safe = std::abs(value) <= json::kMaxSafeInteger;  // NaN neither
    return safe ? Result<json::Node, LoadError>(json::Node(value)) : no_json(node, "is a number beyond 2^53");
  }
  if (const toml::array* list = node.as_array()) {
    json::Node array = json::Node::array();
    for (const toml::node& item : *list) {
      CHANCERY_ASSIGN(json::Node value, to_json(item));
      array.push_back(std::move(value));
    }
    return array;
  }
  const toml::table* table = node.as_table();
  if (table == nullptr)
    return no_json(node, "is a date or a time, which JSON does not have: write it as a string");
  json::Node object = json::Node::object();
  for (const auto& [key, item] : *table) {
    CHANCERY_ASSIGN(json::Node value, to_json(item));
    object.set(std::string(key.str()), std::move(value));
  }
  return object;
}

LoadError Fields::wrong(std::string_view name, std::string message) const {
  const toml::node* node = table_->get(name);
  // "http.url": the option of a section below this one.
  const std::size_t dot = name.find('.');
  const toml::table* below = node == nullptr ? table_->get_as<toml::table>(name.substr(0, dot)) : nullptr;
  if (below != nullptr) node = below;
  if (below != nullptr && dot != std::string_view::npos && below->contains(name.substr(dot + 1))) {
    node = below->get(name.substr(dot + 1));
  }
  const int line = node == nullptr ? line_of(*table_) : line_of(*node);
  return {ErrorCode::kConfigInvalid, file_, line,
          place_ + (place_.empty() ? "" : ".") + std::string(name) + " " + std::move(message)};
}

LoadError Fields::wrong_here(std::string message) const {
  return {ErrorCode::kConfigInvalid, file_, line_of(*table_), place_ + " " + std::move(message)};
}

const toml::node* Fields::raw(std::string_view name) {
  asked_.emplace(name);
  return table_->get(name);
}

Result<std::optional<std::string>, LoadError> Fields::text(std::string_view name) {
  const toml::node* node = raw(name);
  if (node == nullptr) return std::optional<std::string>();
  auto value = node->value_exact<std::string>();
  if (!value) return wrong(name, "must be a string");
  if (has_control(*value)) return wrong(name, "must not hold control characters");
  return value;
}

Result<std::string, LoadError> Fields::required_text(std::string_view name) {
  CHANCERY_ASSIGN(auto value, text(name));
  if (!value || value->empty()) return wrong(name, "is missing: every declaration has it");
  return *std::move(value);
}

Result<std::optional<bool>, LoadError> Fields::flag(std::string_view name) {
  const toml::node* node = raw(name);
  if (node == nullptr) return std::optional<bool>();
  const auto value = node->value_exact<bool>();
  if (!value) return wrong(name, "must be true or false");
  return value;
}

Result<std::optional<std::vector<std::string>>, LoadError> Fields::texts(std::string_view name) {
  const toml::node* node = raw(name);
  if (node == nullptr) return std::optional<std::vector<std::string>>();
  const toml::array* list = node->as_array();
  if (list == nullptr) return wrong(name, "must be a list of strings");
  std::vector<std::string> values;
  for (const toml::node& item : *list) {
    const auto value = item.value_exact<std::string>();
    if (!value) return wrong(name, "must be a list of strings");
    if (has_control(*value)) return wrong(name, "must not hold control characters");
    values.push_back(*value);
  }
  return std::optional(std::move(values));
}

Result<std::optional<std::uint64_t>, LoadError> Fields::octets(std::string_view name) {
  const toml::node* node = raw(name);
  if (node == nullptr) return std::optional<std::uint64_t>();
  const auto number = node->value_exact<std::int64_t>();
  const auto text = node->value_exact<std::string_view>();
  if (number && *number >= 0) return std::optional(static_cast<std::uint64_t>(*number));
  const auto octets = text ? number_with_unit(*text, kOctetUnits) : std::nullopt;
  if (!octets) return wrong(name, "must be a number of octets or a size such as \"64KiB\" or \"1MiB\"");
  return octets;
}

Result<std::optional<std::chrono::milliseconds>, LoadError> Fields::duration(std::string_view name) {
  const toml::node* node = raw(name);
  if (node == nullptr) return std::optional<std::chrono::milliseconds>();
  const auto text = node->value_exact<std::string_view>();
  const auto count = text ? number_with_unit(*text, kTimeUnits) : std::nullopt;
  if (!count) return wrong(name, "must be a duration such as \"500ms\", \"10s\" or \"2m\"");
  return std::optional(std::chrono::milliseconds(*count));
}

Result<std::optional<std::size_t>, LoadError> Fields::choice(std::string_view name,
                                                             std::span<const std::string_view> names) {
  CHANCERY_ASSIGN(const auto value, text(name));
  if (!value) return std::optional<std::size_t>();
  const auto found = std::ranges::find(names, *value);
  if (found != names.end()) return std::optional(static_cast<std::size_t>(found - names.begin()));
  std::string message = "must be one of";
  for (const std::string_view known : names) message += " " + in_quotes(known);
  return wrong(name, std::move(message));
}

Result<Pointer, LoadError> Fields::pointer_of(std::string_view name, const toml::node& node) const {
  const auto text = node.value_exact<std::string>();
  auto tokens = text ? schema::split_pointer(*text) : std::nullopt;
  if (!tokens) {
    LoadError error = wrong(name, "must be a JSON pointer such as \"/amount\" or \"/customer/email\"");
    error.line = line_of(node);
    return error;
  }
  return Pointer{*text, *std::move(tokens)};
}

Result<std::optional<Pointer>, LoadError> Fields::pointer(std::string_view name) {
  const toml::node* node = raw(name);
  if (node == nullptr) return std::optional<Pointer>();
  CHANCERY_ASSIGN(Pointer value, pointer_of(name, *node));
  return std::optional(std::move(value));
}

Result<std::optional<std::vector<Pointer>>, LoadError> Fields::pointers(std::string_view name) {
  const toml::node* node = raw(name);
  if (node == nullptr) return std::optional<std::vector<Pointer>>();
  const toml::array* list = node->as_array();
  if (list == nullptr) return wrong(name, "must be a list of JSON pointers");
  std::vector<Pointer> values;
  for (const toml::node& item : *list) {
    CHANCERY_ASSIGN(Pointer value, pointer_of(name, item));
    values.push_back(std::move(value));
  }
  return std::optional(std::move(values));
}

Result<std::vector<NamedPointer>, LoadError> Fields::named_pointers(std::string_view name) {
  std::vector<NamedPointer> values;
  const toml::node* node = raw(name);
  if (node == nullptr) return values;
  const toml::table* entries = node->as_table();
  if (entries == nullptr)
    return wrong(name, "must be a table of names and JSON pointers such as { limit = \"/limit\" }");
  for (const auto& [key, item] : *entries) {
    CHANCERY_ASSIGN(Pointer value, pointer_of(name, item));
    if (key.str().empty() || has_control(key.str()))
      return wrong(name, "has an empty name, or one with control characters");
    values.emplace_back(std::string(key.str()), std::move(value));
  }
  return values;
}

Result<std::optional<Fields>, LoadError> Fields::table(std::string_view name) {
  const toml::node* node = raw(name);
  if (node == nullptr) return std::optional<Fields>();
  const std::string place = place_ + (place_.empty() ? "" : ".") + std::string(name);
  if (node->as_table() == nullptr)
    return wrong(name, "is a section: write [" + place + "] and its options below");
  return std::optional(Fields(*node->as_table(), place, file_));
}

Result<std::vector<Fields>, LoadError> Fields::tables(std::string_view name) {
  std::vector<Fields> values;
  const toml::node* node = raw(name);
  if (node == nullptr) return values;
  const std::string place = place_ + "." + std::string(name);
  const toml::array* list = node->as_array();
  if (list == nullptr) return wrong(name, "is a list of sections: write [[" + place + "]]");
  for (const toml::node& item : *list) {
    if (item.as_table() == nullptr) return wrong(name, "is a list of sections: write [[" + place + "]]");
    values.emplace_back(*item.as_table(), place, file_);
  }
  return values;
}

Result<void, LoadError> Fields::finish() const {
  for (const auto& [key, node] : *table_) {
    if (asked_.contains(key.str())) continue;
    const std::string_view given = std::string_view(key.str()).substr(0, kLongestQuote);
    const auto nearest = std::ranges::min_element(
        asked_, {}, [&](const std::string& known) { return edit_distance(given, known); });
    const std::string place = place_.empty() ? "" : place_ + ".";
    LoadError error = wrong(key.str(), "");
    error.message = "unknown option " + in_quotes(place + std::string(key.str())) + ": did you mean " +
                    in_quotes(place + *nearest) + "?";
    return error;
  }
  return {};
}

}  // namespace chancery::tools
