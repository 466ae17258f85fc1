#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include <chancery/keys.hpp>
#include <chancery/result.hpp>

namespace chancery::client {

/// Each is tried on every root, since `kid` chooses none: there is an end to them.
inline constexpr std::size_t kMaxFollowedKeys = 16;

/// The keys of somebody who rotates them, as a follower knows them. Pure.
class FollowedKeys {
 public:
  /// \param pins  of the first set one key must be among these; empty: any first set is taken
  /// \param overlap  how long a key counts after it has disappeared
  FollowedKeys(std::vector<Thumbprint> pins, std::chrono::seconds overlap)
      : pins_(std::move(pins)), overlap_(overlap) {}

  /// Takes a set as it was published at `now`.
  /// \return kBadResponse for an empty set; kConflict when it shares no key with what is held or pinned: then nothing
  ///         changes; kTooLarge when there would be more than kMaxFollowedKeys: then none is added, and what has
  ///         disappeared goes all the same
  [[nodiscard]] Status take(const std::vector<PublicKey>& published, std::chrono::sys_seconds now);

  /// Drops keys whose overlap is over.
  void expire(std::chrono::sys_seconds now);

  [[nodiscard]] std::vector<PublicKey> keys() const;

 private:
  struct Held {
    PublicKey key;
    std::optional<std::chrono::sys_seconds> until;  ///< set once it has disappeared; inclusive
  };
  [[nodiscard]] bool is_held(const PublicKey& key) const;
  [[nodiscard]] bool is_known(const PublicKey& key) const;

  std::vector<Thumbprint> pins_;
  std::chrono::seconds overlap_;
  std::vector<Held> held_;
};

}  // namespace chancery::client
