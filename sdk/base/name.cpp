#include "sdk/base/name.hpp"

#include <algorithm>

namespace chancery {
namespace {

constexpr std::size_t kLongest = 63;

bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kLongest && is_plain(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_plain(c) || c == '.' || c == '_' || c == '-'; });
}

}  // namespace chancery
