#pragma once

#include <chrono>
#include <cstdint>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

namespace chancery::vault {

/// A person's consent, as it is kept: the refresh token, and what is known of it.
struct StoredGrant {
  enum class State : std::uint8_t {
    kNone,        ///< nobody consented yet
    kUsable,      ///< the server should take the token
    kRefreshing,  ///< a request with it was begun at `since`, and what came of it is not noted
    kUncertain,   ///< a request with it ended without an answer: the server may have exchanged it
    kEnded,       ///< a person must consent anew
  };
  State state = State::kNone;
  std::chrono::sys_seconds since{};  ///< when it got into this state
  SecretBytes refresh_token{};       ///< empty when there is none to use
  std::uint64_t generation = 0;      ///< changes with each replace(); 0 before the first
};

/// Keeps one grant, durably: what replace() has answered is there after a crash. Several processes may use the same one.
/// Thread-safe.
class GrantStore {
 public:
  GrantStore() = default;
  virtual ~GrantStore() = default;
  GrantStore(const GrantStore&) = delete;
  GrantStore& operator=(const GrantStore&) = delete;

  /// \return the grant; of state kNone when there is none
  [[nodiscard]] virtual Result<StoredGrant> load() = 0;

  /// The same without the refresh token, for who asks for the state alone.
  [[nodiscard]] virtual Result<StoredGrant> look() { return load(); }

  /// Puts `grant` in place of what is there, if that has still the generation `grant.generation`: so one refresh token is used by
  /// one process at a time.
  /// \return the new generation, or kConflict when another one is there
  [[nodiscard]] virtual Result<std::uint64_t> replace(const StoredGrant& grant) = 0;
};

}  // namespace chancery::vault
