#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "daemon/store/store.hpp"
#include "daemon/store/vault_book.hpp"

namespace chancery::store {

/// That a tool may be called once, and what has become of it.
struct Permit {
  std::string id;        ///< 32 hexadecimal digits, random
  std::string decision;  ///< by which it was given
  std::string runtime;   ///< id of the agent that asked, and alone may use it
  std::string token;     ///< id of the token by which the call is made
  Thumbprint key;        ///< of the agent that makes it
  std::string tool;
  std::string scope;
  std::string credential;  ///< by name; empty: the tool needs none
  std::string arguments;   ///< SHA-256 of what the tool is called with, 64 lower-case hexadecimal digits
  sys_seconds given_at{};
  sys_seconds expires_at{};       ///< until when the credential is released
  sys_seconds leaf_expires_at{};  ///< of the chain: what is issued for the permit serves no longer
  std::optional<sys_seconds> released_at{};
  std::optional<sys_seconds> ended_at{};
  std::string receipt{};  ///< JCS; empty until the call's result was reported
  bool operator==(const Permit&) const = default;
};

/// A permit about to be given, within the transaction of its decision.
struct NewPermit {
  Permit permit;
  /// The credential that is released with it, as it was read, and the use that holds its version.
  struct Release {
    Credential credential;
    CredentialUse use;
    AuditEntry audit;
  };
  std::optional<Release> release{};
};

/// Remembers permits until a day after they have expired. They come from Ledger::record(). Thread-safe.
/// Errors common to all: the store's (see Store).
class PermitBook {
 public:
  virtual ~PermitBook() = default;

  /// kNotFound.
  virtual Result<Permit> find(std::string_view id) = 0;

  /// Notes that the permit's credential is released: exactly one of any number of concurrent calls succeeds.
  /// \param read  the credential, as in VaultBook::take_use()
  /// \return the sequence of the audit entry; kConflict when it was released before, has ended or expired, or when the
  ///         credential was changed meanwhile
  virtual Result<std::uint64_t> release(const Permit& permit, const Credential& read,
                                        const CredentialUse& use, sys_seconds now,
                                        const AuditEntry& audit) = 0;

  /// Records what was issued for the permit, as long as it has not ended: later nobody would take it back.
  /// \return the sequence of the audit entry; kConflict when it has ended
  virtual Result<std::uint64_t> record_issue(std::string_view id, const AuditEntry& audit) = 0;

  /// Notes what came of the call, and ends the use of its credential. Once.
  /// \param receipt  JCS
  /// \return the sequence of the audit entry; kConflict when it has ended before
  virtual Result<std::uint64_t> end(std::string_view id, std::string_view receipt, sys_seconds now,
                                    const AuditEntry& audit) = 0;

  /// Those that were given before `given_before` and never ended, at most kMaxPage, the oldest first.
  virtual Result<std::vector<Permit>> unreported(sys_seconds given_before) = 0;

  virtual Status prune(sys_seconds now) = 0;
};

inline constexpr Error kNoSuchPermit{ErrorCode::kNotFound,
                                     "no such permit: ask for one, which is good for 60 seconds"};

}  // namespace chancery::store
