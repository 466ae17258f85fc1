#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include <chancery/keys.hpp>
#include <chancery/result.hpp>

namespace chancery::client {

/// The keys of somebody who rotates them, as a follower knows them. Pure.
class FollowedKeys {
 public:
  /// \param pins  of the first set one key must be among these; empty: any first set is taken
  /// \param overlap  how long a key counts after it has disappeared
  FollowedKeys(std::vector<Thumbprint> pins, std::chrono::seconds overlap)
      : pins_(std::move(pins)), overlap_(overlap) {}

  /// Takes a set as it was published at `now`.
  /// \return kBadResponse for an empty set; kConflict when it shares no key with what is held or pinned: then nothing
  ///         changes
  [[nodiscard]] Status take(const std::vector<PublicKey>& published, std::chrono::sys_seconds now);

  /// Drops keys whose overlap is over.
  void expire(std::chrono::sys_seconds now);

  [[nodiscard]] std::vector<PublicKey> keys() const;

 private:
  struct Held {
    PublicKey key;
    std::optional<std::chrono::sys_seconds> until;  ///< set once it has disappeared; inclusive
  };
  [[nodiscard]] bool is_known(const PublicKey& key) const;

  std::vector<Thumbprint> pins_;
  std::chrono::seconds overlap_;
  std::vector<Held> held_;
};

}  // namespace chancery::client
