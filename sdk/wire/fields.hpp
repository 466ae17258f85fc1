#pragma once

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::wire {

/// What a message gets that is not as it must be.
[[nodiscard]] inline Error malformed(const char* what) { return {ErrorCode::kMalformed, what}; }

// Typed look-ups in a JSON object. `what` is the literal that the caller gets to see when the member is
// wrong: it names the member and says what it must be.

/// kMalformed unless `object` is an object with no other members than these.
[[nodiscard]] Status allow_only(const json::Value& object, std::initializer_list<std::string_view> names,
                                const char* what);

/// A non-empty string that must be there.
[[nodiscard]] Result<std::string> need_text(const json::Value& object, std::string_view name,
                                            const char* what);
/// A string, or empty when it is absent.
[[nodiscard]] Result<std::string> text_or_empty(const json::Value& object, std::string_view name,
                                                const char* what);
/// A non-empty string, or an array of such; empty when absent.
[[nodiscard]] Result<std::vector<std::string>> texts(const json::Value& object, std::string_view name,
                                                     const char* what);
/// An array of strings that must be there; it may be empty.
[[nodiscard]] Result<std::vector<std::string>> string_array(const json::Value& object, std::string_view name,
                                                            const char* what);
/// An integer within [low, high], or nothing when it is absent.
struct Range {
  std::int64_t low;
  std::int64_t high;
};
inline constexpr Range kAnyTime{0, 100LL * 366 * 86400 * 100};
inline constexpr Range kAnyCount{0, 9007199254740991};  ///< what every JSON reader takes
[[nodiscard]] Result<std::optional<std::int64_t>> integer(const json::Value& object, std::string_view name,
                                                          Range range, const char* what);
[[nodiscard]] Result<bool> flag(const json::Value& object, std::string_view name, const char* what);

/// Adds a member for what is there.
void set_optional(json::Node& node, const char* name, const std::optional<std::int64_t>& number);
void set_unless_empty(json::Node& node, const char* name, const std::string& text);

/// The texts as a JSON array.
template <typename Texts>
[[nodiscard]] json::Node text_array(const Texts& texts) {
  json::Node array = json::Node::array();
  for (const auto& text : texts) array.push_back(json::Node(std::string_view(text)));
  return array;
}

/// The items as a JSON array. \param write  const Item& → json::Node
template <typename Item, typename Write>
[[nodiscard]] json::Node array_of(const std::vector<Item>& items, Write write) {
  json::Node array = json::Node::array();
  for (const Item& item : items) array.push_back(write(item));
  return array;
}

/// An array that must be there. \param read  const json::Value& → Result<Item>
template <typename Item, typename Read>
[[nodiscard]] Result<std::vector<Item>> items_from(const json::Value& object, std::string_view name,
                                                   const char* what, Read read) {
  const json::Value* array = object.find(name);
  if (array == nullptr || !array->is(json::Value::Kind::kArray)) return Error{ErrorCode::kMalformed, what};
  std::vector<Item> out;
  for (const json::Value& item : array->items()) {
    CHANCERY_ASSIGN(out.emplace_back(), read(item));
  }
  return out;
}

/// `chain`: an array of compact tokens, or their text form joined by `~`.
[[nodiscard]] Result<std::vector<std::string>> chain(const json::Value& object);

}  // namespace chancery::wire
