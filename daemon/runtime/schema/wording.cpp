#include "daemon/runtime/schema/wording.hpp"

#include <array>
#include <cstdlib>

#include "sdk/base/printable.hpp"
#include "sdk/json/number.hpp"

namespace chancery::schema {
namespace {

constexpr std::size_t kLongestQuote = 200;
constexpr std::size_t kMostListed = 12;
constexpr std::array<std::string_view, 6> kKinds{"null",     "true or false", "a number",
                                                 "a string", "a list",        "an object"};

std::string number_text(double value) {
  std::string text;
  json::append_number(text, value);
  return text;
}

std::string_view noun_of(SizeRule::Of of, bool one) {
  switch (of) {
    case SizeRule::Of::kText:
      return one ? "character" : "characters";
    case SizeRule::Of::kItems:
      return one ? "item" : "items";
    case SizeRule::Of::kMembers:
      return one ? "property" : "properties";
  }
  std::abort();
}

}  // namespace

std::string quoted(std::string_view text) {
  if (text.size() <= kLongestQuote) return "\"" + printable(text) + "\"";
  std::size_t end = kLongestQuote;
  while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not inside of a character
  return "\"" + printable(text.substr(0, end)) + "…\"";
}

std::string counted_items(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " item" : " items");
}

std::string listed(const std::vector<std::string_view>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kMostListed; ++i)
    text += (i == 0 ? "" : ", ") + quoted(names[i]);
  return names.size() > kMostListed ? text + ", …" : text;
}

std::string wording(const TypeRule& rule, json::Value::Kind found) {
  std::string text;
  const auto put = [&](std::string_view kind) {
    text += (text.empty() ? "must be " : " or ") + std::string(kind);
  };
  for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
    if ((rule.kinds >> kind & 1) != 0) put(kKinds[kind]);
  }
  if (rule.integer) put("a whole number");
  const auto kind = static_cast<std::size_t>(found);
  // A number with a fraction where a whole one is wanted: its kind would say nothing.
  return found == json::Value::Kind::kNumber && rule.integer ? text
                                                             : text + ", not " + std::string(kKinds[kind]);
}

std::string wording(const EqualRule& rule) {
  if (rule.values.empty()) return "may have no value at all";
  std::string text = rule.values.size() == 1 ? "must be " : "must be one of ";
  for (std::size_t i = 0; i < rule.values.size(); ++i) {
    if (i == kMostListed || text.size() > 2 * kLongestQuote) return text + ", …";
    const std::string& value = rule.values[i];
    text += (i == 0 ? "" : ", ") + (value.size() > kLongestQuote ? "a longer value" : printable(value));
  }
  return text;
}

std::string wording(const BoundRule& rule) {
  const std::string bound = number_text(rule.bound);
  switch (rule.type) {
    case BoundRule::Type::kLeast:
      return "must be " + bound + " at least";
    case BoundRule::Type::kMoreThan:
      return "must be more than " + bound;
    case BoundRule::Type::kMost:
      return "must be " + bound + " at most";
    case BoundRule::Type::kLessThan:
      return "must be less than " + bound;
  }
  std::abort();
}

std::string wording(const MultipleRule& rule) { return "must be a multiple of " + number_text(rule.value); }

std::string wording(const SizeRule& rule) {
  const std::string count = std::to_string(rule.bound) + " " + std::string(noun_of(rule.of, rule.bound == 1));
  return "must have " + count + (rule.least ? " at least" : " at most");
}

}  // namespace chancery::schema
