#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

namespace chancery {

/// Base64url without padding (RFC 4648 section 5, as RFC 7515 uses it).
[[nodiscard]] std::string base64url_encode(ByteView bytes);

/// Strict decoding: alphabet only, no padding, no white space, no length of 1 modulo 4, spare bits zero.
/// \return the octets, or kMalformed
[[nodiscard]] Result<Bytes> base64url_decode(std::string_view text);

/// How many octets `text` decodes to; meaningful only for lengths that are not 1 modulo 4.
[[nodiscard]] constexpr std::size_t base64url_decoded_size(std::size_t text_size) noexcept {
  return text_size / 4 * 3 + (text_size % 4 == 0 ? 0 : text_size % 4 - 1);
}

/// The same rules, into a buffer of base64url_decoded_size(text.size()) octets.
/// \return whether `text` was well formed; the buffer's contents are unspecified when it was not
[[nodiscard]] bool base64url_decode_into(std::string_view text, std::uint8_t* out) noexcept;

/// Decodes exactly N octets, or nothing.
template <std::size_t N>
[[nodiscard]] std::optional<std::array<std::uint8_t, N>> base64url_decode_exactly(std::string_view text) {
  std::array<std::uint8_t, N> out;
  if (text.size() % 4 == 1 || base64url_decoded_size(text.size()) != N) return std::nullopt;
  if (!base64url_decode_into(text, out.data())) return std::nullopt;
  return out;
}

}  // namespace chancery
