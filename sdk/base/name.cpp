#include "sdk/base/name.hpp"

#include <algorithm>

#include "sdk/base/printable.hpp"

namespace chancery {
namespace {

constexpr std::size_t kLongest = 63;
constexpr std::size_t kLongestPerson = 256;
constexpr std::string_view kGroup = "group";

bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kLongest && is_plain(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_plain(c) || c == '.' || c == '_' || c == '-'; });
}

bool is_person(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return false;
  if (text.substr(0, colon) == kGroup || text.size() > kLongestPerson) return false;
  return text.find(' ') == std::string_view::npos && printable(text) == text;
}

}  // namespace chancery
