#include "sdk/cli/key_set_input.hpp"

#include <utility>

#include "sdk/cli/files.hpp"
#include "sdk/crypto/jwk.hpp"

namespace chancery::cli {
namespace {

constexpr std::size_t kMostOctets = 4 * 1024 * 1024;

}  // namespace

Checked<std::vector<VerifyKey>> read_verify_keys(const std::string& file) {
  CHANCERY_ASSIGN(const std::string text, read_input(file, kMostOctets));
  const auto keys = parse_key_set(text);
  if (!keys) return failure(keys.error(), file);
  if (keys->empty()) return failure({ErrorCode::kNoTrust, kNoKnownKey}, file);
  return verify_keys(*keys, file);
}

Checked<std::vector<VerifyKey>> verify_keys(std::span<const PublicKey> keys, std::string_view source) {
  std::vector<VerifyKey> out;
  for (const PublicKey& key : keys) {
    auto verifying = VerifyKey::from(key);
    if (!verifying) return failure(verifying.error(), source);
    out.push_back(*std::move(verifying));
  }
  return out;
}

}  // namespace chancery::cli
