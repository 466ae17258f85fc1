#include "sdk/wire/fields.hpp"

#include <algorithm>

#include <chancery/verify.hpp>

namespace chancery::wire {
namespace {

using json::Value;

}  // namespace

Status allow_only(const Value& object, std::initializer_list<std::string_view> names, const char* what) {
  if (!object.is(Value::Kind::kObject)) return malformed("the body must be a JSON object");
  return object.has_only(names) ? Status{} : Status{malformed(what)};
}

Result<std::string> need_text(const Value& object, std::string_view name, const char* what) {
  const Value* member = object.find(name);
  if (member == nullptr || member->string().value_or("").empty()) return malformed(what);
  return std::string(*member->string());
}

Result<std::string> text_or_empty(const Value& object, std::string_view name, const char* what) {
  const Value* member = object.find(name);
  if (member == nullptr) return std::string();
  if (!member->string()) return malformed(what);
  return std::string(*member->string());
}

Result<std::vector<std::string>> texts(const Value& object, std::string_view name, const char* what) {
  std::vector<std::string> out;
  const Value* member = object.find(name);
  if (member == nullptr) return out;
  const std::span<const Value> items = member->string() ? std::span(member, 1) : member->items();
  if (items.empty()) return malformed(what);
  for (const Value& item : items) {
    if (item.string().value_or("").empty()) return malformed(what);
    out.emplace_back(*item.string());
  }
  return out;
}

Result<std::vector<std::string>> string_array(const Value& object, std::string_view name, const char* what) {
  const Value* member = object.find(name);
  if (member == nullptr || !member->is(Value::Kind::kArray)) return malformed(what);
  std::vector<std::string> out;
  for (const Value& item : member->items()) {
    if (!item.string()) return malformed(what);
    out.emplace_back(*item.string());
  }
  return out;
}

Result<std::optional<std::int64_t>> integer(const Value& object, std::string_view name, Range range,
                                            const char* what) {
  const Value* member = object.find(name);
  if (member == nullptr) return std::optional<std::int64_t>();
  const auto value = member->integer();
  if (!value || *value < range.low || *value > range.high) return malformed(what);
  return value;
}

Result<bool> flag(const Value& object, std::string_view name, const char* what) {
  const Value* member = object.find(name);
  if (member == nullptr) return false;
  if (!member->boolean()) return malformed(what);
  return *member->boolean();
}

Result<std::vector<std::string>> chain(const Value& object) {
  constexpr const char* kWhat =
      "`chain` must be an array of compact tokens, root first, or one text joined by ~";
  const Value* member = object.find("chain");
  if (member == nullptr) return malformed(kWhat);
  if (const auto text = member->string()) {
    const auto tokens = split_chain(*text);
    return std::vector<std::string>(tokens.begin(), tokens.end());
  }
  return string_array(object, "chain", kWhat);
}

void set_optional(json::Node& node, const char* name, const std::optional<std::int64_t>& number) {
  if (number) node.set(name, *number);
}

void set_unless_empty(json::Node& node, const char* name, const std::string& text) {
  if (!text.empty()) node.set(name, text);
}

}  // namespace chancery::wire
