#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <chancery/result.hpp>

#include "daemon/store/store.hpp"
#include "daemon/store/vault_book.hpp"

namespace chancery::store {

/// What a person's consent has become, for the issuer that lives from it.
enum class GrantState : std::uint8_t { kUsable, kRefreshing, kUncertain, kEnded };

/// "usable", "refreshing", "uncertain" or "ended".
[[nodiscard]] std::string_view grant_state_name(GrantState state) noexcept;

/// One grant, its refresh token under an envelope.
struct SealedGrant {
  std::string issuer;  ///< by name
  GrantState state = GrantState::kEnded;
  sys_seconds since{};                 ///< when it got into this state
  std::uint64_t generation = 0;        ///< from 1; one more with each change
  std::optional<Envelope> envelope{};  ///< none, exactly when it has ended
  bool operator==(const SealedGrant&) const = default;
};

/// Keeps the grants from which issuers live, one for each. Thread-safe. Errors common to all: the store's (see Store).
class GrantBook {
 public:
  virtual ~GrantBook() = default;

  virtual Result<std::optional<SealedGrant>> find(std::string_view issuer) = 0;

  /// Puts `next` in place of the grant whose generation is one less, or of none where that is 0. What it had before is erased in the
  /// file and in the write-ahead log when the call returns.
  /// \param audit  stands in the log exactly when `next` is there; null: nobody is told
  /// \return kConflict when another one is there
  virtual Status replace(const SealedGrant& next, const AuditEntry* audit = nullptr) = 0;
};

}  // namespace chancery::store
