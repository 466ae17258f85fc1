#include "daemon/vault/vault_key.hpp"

#include <utility>

#include "sdk/base/hex.hpp"
#include "sdk/crypto/aead.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::vault {
namespace {

constexpr const char* kOwner = "vault";
constexpr std::size_t kIdSize = 16;

constexpr Error kNoKey{ErrorCode::kNotFound,
                       "the vault has no key yet: it is made with the first credential"};
constexpr Error kLost{
    ErrorCode::kKeyLost,
    "the device does not open the vault's key: it was cleared, or is another one. Put the device or the master secret "
    "back; if they are gone, `chancery vault reset` forgets the credentials, which must then be put again"};

Result<std::string> new_id() {
  Bytes octets(kIdSize);
  CHANCERY_TRY(random_bytes(octets));
  return hex_encode(octets);
}

}  // namespace

Result<VaultKey::Key> VaultKey::current(hsm::Deadline deadline) {
  const std::lock_guard lock(mutex_);
  if (key_) return key_;
  CHANCERY_ASSIGN(const auto sealed, book_.key());
  if (!sealed) return kNoKey;
  return open(*sealed, deadline);
}

// One device's answer at a time is enough: whoever comes meanwhile waits for the same.
Result<VaultKey::Key> VaultKey::make(const store::AuditEntry& audit, std::chrono::sys_seconds now,
                                     hsm::Deadline deadline) {
  const std::lock_guard lock(mutex_);
  if (key_) return key_;
  CHANCERY_ASSIGN(const auto former, book_.key());
  if (former) return open(*former, deadline);
  CHANCERY_ASSIGN(hsm::Sealer* const sealer, sealers_(backend_));
  store::SealedVaultKey sealed{backend_, {}, {}, now};
  CHANCERY_ASSIGN(sealed.key_id, new_id());
  SecretBytes key(kAeadKeySize);
  CHANCERY_TRY(random_bytes(key.writable()));
  CHANCERY_ASSIGN(sealed.sealed, sealer->seal({kOwner, sealed.key_id}, key, deadline));
  // What a device seals and does not open again would lose every credential.
  CHANCERY_ASSIGN(const SecretBytes opened, sealer->unseal({kOwner, sealed.key_id}, sealed.sealed, deadline));
  if (!equal_constant_time(opened.view(), key.view()))
    return Error{ErrorCode::kDeviceError,
                 "the device does not open what it sealed: look at it with `chancery doctor`"};
  CHANCERY_TRY(book_.keep_key(sealed, audit));
  key_ = std::make_shared<const SecretBytes>(std::move(key));
  return key_;
}

void VaultKey::forget() {
  const std::lock_guard lock(mutex_);
  key_.reset();
}

Result<VaultKey::Key> VaultKey::open(const store::SealedVaultKey& sealed, hsm::Deadline deadline) {
  CHANCERY_ASSIGN(hsm::Sealer* const sealer, sealers_(sealed.backend));
  auto key = sealer->unseal({kOwner, sealed.key_id}, sealed.sealed, deadline);
  if (!key && key.error().code == ErrorCode::kKeyLost) {
    Error lost = kLost;
    lost.native = key.error().native;
    return lost;
  }
  if (!key) return key.error();
  if (key->size() != kAeadKeySize) return kLost;
  key_ = std::make_shared<const SecretBytes>(*std::move(key));
  return key_;
}

}  // namespace chancery::vault
