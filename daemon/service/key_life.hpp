#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <set>
#include <string>

#include <chancery/result.hpp>

#include "daemon/service/backend_set.hpp"
#include "daemon/store/store.hpp"
#include "hsm/key_backend.hpp"

namespace chancery::service {

class FreezeDesk;

/// The two ends of a key's life, each of them a device's part and the store's part, with an intent in the
/// store around both: a daemon that is killed in between finds what it left behind. Thread-safe.
class KeyLife {
 public:
  /// \param freezes  by which agents' keys hang on kill switches; null: none does
  KeyLife(store::Store& store, const Backends& backends, FreezeDesk* freezes = nullptr)
      : store_(store), backends_(backends), freezes_(freezes) {}

  /// What is to be made.
  struct NewKey {
    store::KeyIntent intent;  ///< its `key_id` empty: a fresh one is taken
    bool is_resumed = false;  ///< the intent stands since before, and stays if the device makes nothing
    /// Has the device make it in a way of its own; empty: as all keys.
    std::function<Result<hsm::StoredKey>(hsm::KeyBackend& backend, const hsm::KeyBinding& binding)> create{};
  };
  using Record = std::function<Status(const store::Key& key)>;

  /// Makes a key and records it; if either does not succeed, nothing of it remains.
  /// \param record  adds the key to the store
  /// \return the key; kBackendUnknown, kUnsupportedAlgorithm, or what the device or `record` said
  [[nodiscard]] Result<store::Key> make(NewKey wanted, std::chrono::sys_seconds now, hsm::Deadline deadline,
                                        const Record& record);

  /// Destroys a key that the store has retired or revoked, and has the device fail to sign with it before
  /// that is recorded. What cannot be done now is done later: settle() does it.
  /// \param key  as it was before it ended
  [[nodiscard]] Status destroy(const store::Key& key, std::chrono::sys_seconds now, hsm::Deadline deadline);

  /// Ends what an intent began: a key that has ended is destroyed, and of one that was not recorded nothing
  /// remains in its device.
  /// \return the device's error; kDeviceBusy while this process is still at it
  [[nodiscard]] Status settle(const store::KeyIntent& intent, std::chrono::sys_seconds now,
                              hsm::Deadline deadline);

 private:
  class Claim;

  [[nodiscard]] Result<hsm::StoredKey> make_in_device(hsm::KeyBackend& backend,
                                                      const store::KeyIntent& intent,
                                                      std::chrono::sys_seconds now, hsm::Deadline deadline);
  [[nodiscard]] Status destroy_claimed(const store::Key& key, std::chrono::sys_seconds now,
                                       hsm::Deadline deadline);

  store::Store& store_;
  const Backends& backends_;
  FreezeDesk* const freezes_;
  std::mutex mutex_;
  std::set<std::string> claimed_;  // ids of keys whose intents are being carried out by this process
};

/// To whom a key of this owner is bound in its device: the agent, or "daemon".
[[nodiscard]] hsm::KeyBinding binding_of(const std::string& owner, const std::string& key_id);

/// A fresh identifier: 128 random bits in hexadecimal.
[[nodiscard]] Result<std::string> random_id();

}  // namespace chancery::service
