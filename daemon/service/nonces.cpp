#include "daemon/service/nonces.hpp"

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::service {
namespace {

constexpr std::chrono::minutes kTerm{5};
constexpr std::size_t kSecretSize = 32;
constexpr std::size_t kNonceSize = 18;

}  // namespace

Result<Nonces> Nonces::create() {
  SecretBytes secret(kSecretSize);
  CHANCERY_TRY(random_bytes(secret.writable()));
  return Nonces(std::move(secret));
}

std::string Nonces::current(std::chrono::sys_seconds now) const { return of(now); }

bool Nonces::accepts(std::string_view nonce, std::chrono::sys_seconds now) const {
  return equal_constant_time(as_bytes(nonce), as_bytes(of(now))) ||
         equal_constant_time(as_bytes(nonce), as_bytes(of(now - kTerm)));
}

std::string Nonces::of(std::chrono::sys_seconds now) const {
  const auto term = now.time_since_epoch() / kTerm;
  return base64url_encode(
      hkdf_sha256(secret_.view(), {}, "chancery dpop nonce " + std::to_string(term), kNonceSize).view());
}

}  // namespace chancery::service
