#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

namespace chancery {

/// Lower-case hexadecimal.
[[nodiscard]] std::string hex_encode(ByteView bytes);

/// Either case, an even number of digits, nothing else; else kMalformed.
[[nodiscard]] Result<Bytes> hex_decode(std::string_view text);

/// Decodes exactly N octets, or nothing.
template <std::size_t N>
[[nodiscard]] std::optional<std::array<std::uint8_t, N>> hex_decode_exactly(std::string_view text) {
  const auto octets = hex_decode(text);
  if (!octets || octets->size() != N) return std::nullopt;
  std::array<std::uint8_t, N> out;
  std::copy(octets->begin(), octets->end(), out.begin());
  return out;
}

}  // namespace chancery
