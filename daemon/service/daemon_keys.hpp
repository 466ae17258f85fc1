#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "daemon/service/backend_set.hpp"
#include "daemon/service/key_life.hpp"
#include "daemon/service/occasion.hpp"
#include "daemon/service/trust.hpp"
#include "daemon/store/store.hpp"
#include "hsm/key_backend.hpp"

namespace chancery::service {

struct DaemonKeyOptions {
  std::string_view owner;           ///< what the keys are for: one of store::kDaemonOwners
  std::string backend;              ///< where the key that signs is; empty: there is to be none
  std::chrono::seconds overlap{0};  ///< how long a key serves after another has followed it
  std::chrono::seconds memory{0};   ///< how long keys that have ended are remembered in what is published
  /// Asked before each signature: its error is the answer then.
  std::function<Status()> may_sign = [] { return Status{}; };
};

/// The daemon's own keys for one purpose. The active one signs; it, those that rotate and those that are lost
/// are published, since what they signed still counts: issuer keys as trust anchors, the others for those who read status
/// lists and attestation results. The first is made when its device first answers. Thread-safe.
class DaemonKeys {
 public:
  DaemonKeys(store::Store& store, KeyLife& life, const Backends& backends, TrustPublisher& trust,
             DaemonKeyOptions options)
      : store_(store),
        life_(life),
        backends_(backends),
        trust_(trust),
        options_(std::move(options)),
        memory_(options_.memory) {}

  /// Publishes the keys that the store holds and, for the issuer, which holders' keys have ended; at start, and
  /// after each change of them.
  [[nodiscard]] Status publish(std::chrono::sys_seconds now);

  /// Keys that have ended are published for so long from the next publication on. Never for less than before: what
  /// was issued until now may live as long.
  void remember_for(std::chrono::seconds memory);

  /// The key that signs, made now if there is none yet, or only one in another backend than is configured.
  /// \return the key, or the store's or the device's error; kKeyLost when it is lost or revoked
  [[nodiscard]] Result<store::Key> current(std::chrono::sys_seconds now, hsm::Deadline deadline);

  /// The newest key of the configured backend, whatever its state; none when it was not made yet.
  [[nodiscard]] Result<std::optional<store::Key>> newest() const;

  /// Makes a key that signs from now on, also in place of one that is lost. The one before it serves until
  /// its overlap ends.
  [[nodiscard]] Result<store::Key> rotate(const Occasion& occasion, std::chrono::seconds overlap);

  /// Carries on a rotation that was interrupted; one to a backend that is configured no more is given up.
  [[nodiscard]] Status resume(const store::KeyIntent& intent, std::chrono::sys_seconds now,
                              hsm::Deadline deadline);

  /// Whether what is published is older than the store: publishing failed.
  [[nodiscard]] bool is_stale() const noexcept { return is_stale_; }

  /// Signs, if it may; a key that its device no longer opens is marked as lost.
  [[nodiscard]] Result<Signature> sign(const store::Key& key, ByteView message, std::chrono::sys_seconds now,
                                       hsm::Deadline deadline);

  [[nodiscard]] const DaemonKeyOptions& options() const noexcept { return options_; }

 private:
  [[nodiscard]] Result<store::Key> make(KeyLife::NewKey wanted, const Occasion& occasion);
  [[nodiscard]] std::string action_of(std::string_view what) const;
  [[nodiscard]] bool is_published(const store::Key& key) const;

  store::Store& store_;
  KeyLife& life_;
  const Backends& backends_;
  TrustPublisher& trust_;
  const DaemonKeyOptions options_;
  std::atomic<std::chrono::seconds> memory_;
  std::mutex making_;
  std::mutex publishing_;
  std::atomic<bool> is_stale_ = false;
};

}  // namespace chancery::service
