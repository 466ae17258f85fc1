#include "sdk/audit/text_lines.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include "sdk/base/base64.hpp"

namespace chancery::audit {

std::optional<std::string_view> take_line(std::string_view& text) noexcept {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

std::optional<std::uint64_t> parse_decimal(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || std::to_string(number) != text) return std::nullopt;
  return number;
}

std::optional<Sha256Digest> parse_hash(std::string_view text) {
  const auto octets = base64_decode(text);
  Sha256Digest hash;
  if (!octets || octets->size() != hash.size()) return std::nullopt;
  std::ranges::copy(*octets, hash.begin());
  return hash;
}

}  // namespace chancery::audit
