#include "sdk/base/base64.hpp"

#include <algorithm>
#include <string>

#include "sdk/base/base64url.hpp"

namespace chancery {

std::string base64_encode(ByteView octets) {
  std::string text = base64url_encode(octets);
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

// The two alphabets differ in two characters; what one has and the other lacks must not slip through.
Result<Bytes> base64_decode(std::string_view text) {
  constexpr Error kNotBase64{ErrorCode::kMalformed, "not base64 with padding (RFC 4648 section 4)"};
  if (text.size() % 4 != 0 || text.find_first_of("-_") != std::string_view::npos) return kNotBase64;
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  std::string url(text);
  std::ranges::replace(url, '+', '-');
  std::ranges::replace(url, '/', '_');
  auto octets = base64url_decode(url);
  if (!octets) return kNotBase64;
  return octets;
}

}  // namespace chancery
