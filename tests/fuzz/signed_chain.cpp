#include "tests/fuzz/signed_chain.hpp"

#include <algorithm>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::fuzz {
namespace {

constexpr std::size_t kHops = 5;

}  // namespace

HopKeys::HopKeys() {
  for (std::size_t i = 0; i <= kHops; ++i)
    signers.push_back(SigningKey::generate(Algorithm::kEd25519).value());
  TrustConfig config;
  config.anchors.emplace_back().keys = {signers.front().public_key()};
  trust = TrustSnapshot(std::move(config));
}

const HopKeys& hop_keys() {
  static const HopKeys keys;
  return keys;
}

std::string filled(std::string text, std::string_view mark, std::string_view with) {
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + with.size())) {
    text.replace(at, mark.size(), with);
  }
  return text;
}

std::string signed_jws(std::string_view header, std::string_view payload, const SigningKey& key) {
  const std::string input = base64url_encode(as_bytes(header)) + "." + base64url_encode(as_bytes(payload));
  return input + "." + base64url_encode(key.sign(as_bytes(input)).value());
}

std::vector<std::string> signed_chain(std::string_view lines) {
  std::vector<std::string> tokens;
  for (const std::string_view line : lines_of(lines)) {
    const std::size_t hop = tokens.size();
    if (hop == kHops) break;
    const SigningKey& signer = hop_keys().signers[hop];
    std::string payload =
        filled(std::string(line), "@JKT", hop_keys().signers[hop + 1].public_key().thumbprint().text());
    if (hop > 0) {
      const std::string_view parent = tokens.back();
      payload = filled(std::move(payload), "@PAR",
                       base64url_encode(sha256(as_bytes(parent.substr(0, parent.rfind('.'))))));
    }
    const std::string header =
        hop == 0 ? R"({"alg":"Ed25519","typ":"at+jwt"})"
                 : R"({"alg":"Ed25519","jwk":)" + signer.public_key().jwk() + R"(,"typ":"at+jwt"})";
    tokens.push_back(signed_jws(header, payload, signer));
  }
  return tokens;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

}  // namespace chancery::fuzz
