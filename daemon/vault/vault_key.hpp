#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "daemon/store/vault_book.hpp"
#include "hsm/sealer.hpp"

namespace chancery::vault {

/// The key that wraps the data keys of all credentials: 32 random octets, made once, that a device has sealed. The store has
/// what was sealed, so a copy of the database opens nothing without that device and the master secret. It is opened when
/// it is needed first, and kept in memory for secrets from then on. Thread-safe.
class VaultKey {
 public:
  /// What seals by the name of a `[[backend]]`: kBackendUnknown, or kInvalidArgument for a device that cannot.
  using Sealers = std::function<Result<hsm::Sealer*>(std::string_view backend)>;
  using Key = std::shared_ptr<const SecretBytes>;

  /// \param backend  whose device seals a key that is made
  VaultKey(store::VaultBook& book, Sealers sealers, std::string backend)
      : book_(book), sealers_(std::move(sealers)), backend_(std::move(backend)) {}

  /// The key that there is.
  /// \return kNotFound when none was made yet; kKeyLost when the device does not open it any more; kBackendUnknown when its
  ///         backend is configured no more; the device's errors, such as kDeviceUnavailable, after which the next call tries
  ///         again; the store's
  [[nodiscard]] Result<Key> current(hsm::Deadline deadline);

  /// Makes the first one, unless somebody else did meanwhile. `audit` records it.
  [[nodiscard]] Result<Key> make(const store::AuditEntry& audit, std::chrono::sys_seconds now,
                                 hsm::Deadline deadline);

  /// What must be called when the store's key was forgotten.
  void forget();

  [[nodiscard]] const std::string& backend() const noexcept { return backend_; }

 private:
  [[nodiscard]] Result<Key> open(const store::SealedVaultKey& sealed, hsm::Deadline deadline);

  store::VaultBook& book_;
  const Sealers sealers_;
  const std::string backend_;
  std::mutex mutex_;  // of the rest
  Key key_;
};

}  // namespace chancery::vault
