#include "sdk/base/base64url.hpp"

namespace chancery {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint32_t kBad = 0x80000000;

// Four tables, each with the sextet already shifted to its place, so that four look-ups and three ORs
// decode a group, and one test of the top bit finds any character outside the alphabet.
struct DecodeTables {
  std::array<std::array<std::uint32_t, 256>, 4> at{};
  constexpr DecodeTables() {
    for (auto& table : at) table.fill(kBad);
    for (std::uint32_t value = 0; value < kAlphabet.size(); ++value) {
      const auto c = static_cast<unsigned char>(kAlphabet[value]);
      for (std::size_t place = 0; place < 4; ++place) at[place][c] = value << (18 - 6 * place);
    }
  }
};
constexpr DecodeTables kDecode;

}  // namespace

std::string base64url_encode(ByteView bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t group = bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2];
    text += kAlphabet[group >> 18];
    text += kAlphabet[group >> 12 & 63];
    text += kAlphabet[group >> 6 & 63];
    text += kAlphabet[group & 63];
  }
  if (bytes.size() - i == 1) {
    text += kAlphabet[bytes[i] >> 2];
    text += kAlphabet[(bytes[i] & 3) << 4];
  } else if (bytes.size() - i == 2) {
    text += kAlphabet[bytes[i] >> 2];
    text += kAlphabet[(bytes[i] & 3) << 4 | bytes[i + 1] >> 4];
    text += kAlphabet[(bytes[i + 1] & 15) << 2];
  }
  return text;
}

bool base64url_decode_into(std::string_view text, std::uint8_t* out) noexcept {
  const auto sextets = [&](std::size_t i, std::size_t count) {
    std::uint32_t group = 0;
    for (std::size_t place = 0; place < count; ++place) {
      group |= kDecode.at[place][static_cast<unsigned char>(text[i + place])];
    }
    return group;
  };
  std::uint32_t bad = 0;
  std::size_t i = 0;
  for (; i + 4 <= text.size(); i += 4) {
    const std::uint32_t group = sextets(i, 4);
    bad |= group;
    *out++ = static_cast<std::uint8_t>(group >> 16);
    *out++ = static_cast<std::uint8_t>(group >> 8);
    *out++ = static_cast<std::uint8_t>(group);
  }
  const std::size_t rest = text.size() - i;
  if (rest == 1) return false;
  if (rest == 2) {
    const std::uint32_t group = sextets(i, 2);
    bad |= group;
    if ((group & 0xFFFF) != 0) return false;
    *out = static_cast<std::uint8_t>(group >> 16);
  } else if (rest == 3) {
    const std::uint32_t group = sextets(i, 3);
    bad |= group;
    if ((group & 0xFF) != 0) return false;
    *out++ = static_cast<std::uint8_t>(group >> 16);
    *out = static_cast<std::uint8_t>(group >> 8);
  }
  return (bad & kBad) == 0;
}

Result<Bytes> base64url_decode(std::string_view text) {
  Bytes bytes(text.size() % 4 == 1 ? 0 : base64url_decoded_size(text.size()));
  if (text.size() % 4 == 1 || !base64url_decode_into(text, bytes.data())) {
    return Error{ErrorCode::kMalformed,
                 "not base64url: use the URL-safe alphabet without padding, white space or spare bits"};
  }
  return bytes;
}

}  // namespace chancery
