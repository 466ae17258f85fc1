#include <string>

#include <chancery/keys.hpp>
#include <chancery/trust.hpp>

#include "sdk/crypto/verify_key.hpp"
#include "tests/fuzz/target.hpp"

// An input is the text of a JWK, and of a trust configuration: both are files that people write.

namespace chancery::fuzz {
namespace {

void check_jwk(std::string_view text) {
  const auto key = parse_jwk(text);
  if (!key) return;
  const auto again = parse_jwk(key->jwk());
  require(again && *again == *key);
  const auto parsed = VerifyKey::from(*key);
  require(parsed && parsed->thumbprint() == key->thumbprint());
  require(!parsed->verify(as_bytes("m"), ByteView()));
}

void check_trust(std::string_view text) {
  auto trust = TrustConfig::parse(text);
  if (!trust) return;
  for (const TrustAnchor& anchor : trust->anchors) require(!anchor.keys.empty());
  const TrustSnapshot snapshot(*std::move(trust));
}

}  // namespace
}  // namespace chancery::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  fuzz::check_jwk(fuzz::text_of(data, size));
  fuzz::check_trust(fuzz::text_of(data, size));
  return 0;
}
