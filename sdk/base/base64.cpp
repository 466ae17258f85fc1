#include "sdk/base/base64.hpp"

#include <algorithm>
#include <string>

#include "sdk/base/base64url.hpp"

namespace chancery {
namespace {

constexpr Error kNotBase64{ErrorCode::kMalformed, "not base64 with padding (RFC 4648 section 4)"};

// What one character stands for; 64 for a character that stands for nothing.
constexpr std::uint32_t sextet(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return static_cast<std::uint32_t>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<std::uint32_t>(c - 'a') + 26;
  if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0') + 52;
  return c == '+' ? 62 : c == '/' ? 63 : 64;
}

}  // namespace

std::string base64_encode(ByteView octets) {
  std::string text = base64url_encode(octets);
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

// The two alphabets differ in two characters; what one has and the other lacks must not slip through.
Result<Bytes> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0 || text.find_first_of("-_") != std::string_view::npos) return kNotBase64;
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  std::string url(text);
  std::ranges::replace(url, '+', '-');
  std::ranges::replace(url, '/', '_');
  auto octets = base64url_decode(url);
  if (!octets) return kNotBase64;
  return octets;
}

Result<SecretBytes> base64_decode_secret(std::string_view text) {
  if (text.size() % 4 != 0) return kNotBase64;
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  if (text.empty()) return SecretBytes();
  SecretBytes out(text.size() * 3 / 4);
  std::uint32_t bits = 0;  // read and not written yet
  int count = 0;
  std::size_t written = 0;
  for (const char c : text) {
    if (sextet(c) > 63) return kNotBase64;
    bits = bits << 6 | sextet(c);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out.writable()[written++] = static_cast<std::uint8_t>(bits >> count);
    bits &= (1U << count) - 1;
  }
  if (bits != 0) return kNotBase64;  // bits to spare that stand for nothing
  return out;
}

}  // namespace chancery
