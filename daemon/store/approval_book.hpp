#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "daemon/store/store.hpp"

namespace chancery::store {

/// What has become of a parked call. It is pending once, at first, and leaves that state once: by one statement, whose
/// affected rows say whether it was this caller who ended it.
enum class ApprovalState : std::uint8_t { kPending, kCancelled, kExpired };

/// "pending": as the database, the interface and the audit log have it.
[[nodiscard]] std::string_view approval_state_name(ApprovalState state) noexcept;
[[nodiscard]] std::optional<ApprovalState> approval_state_named(std::string_view name) noexcept;

/// A call that waits for a person, or did.
struct ParkedCall {
  std::string id;        ///< 32 hexadecimal digits, random
  std::string document;  ///< JCS: what is to be approved; empty when it has ended, and where it is left out
  std::string digest;    ///< SHA-256 of the document, 64 lower-case hexadecimal digits
  std::string
      subject;  ///< the same of the document without id and times: two requests for one thing have one
  std::string runtime;    ///< id of the agent that asked for it
  std::string token;      ///< id of the token by which the call is made
  Thumbprint key;         ///< of the agent that makes it
  Thumbprint first;       ///< of the holder of the chain's first token, from whom the agent's authority comes
  std::string principal;  ///< for whom
  std::string tool;
  ApprovalState state = ApprovalState::kPending;
  sys_seconds asked_at{};
  sys_seconds expires_at{};               ///< nobody can decide it from then on
  std::optional<sys_seconds> ended_at{};  ///< when it ceased to be pending
  bool operator==(const ParkedCall&) const = default;
};

/// How many calls may wait, so that nobody floods those who decide. Whoever may delegate chooses the keys below itself, and not
/// its own: what waits under one first holder is bounded together.
inline constexpr std::uint64_t kMostParkedOfKey = 32;
inline constexpr std::uint64_t kMostParkedOfFirst = 128;
inline constexpr std::uint64_t kMostParked = 1024;

struct ApprovalQuery {
  std::size_t limit = 100;               ///< 1 … kMaxPage
  std::string after{};                   ///< id of the last of the page before; empty for the first page
  std::optional<ApprovalState> state{};  ///< none: all of them
};

/// Remembers calls that wait for an approval until a week after they have ceased to; their documents only as long as they wait.
/// They come from Ledger::record().
/// Thread-safe. Errors common to all: the store's (see Store).
class ApprovalBook {
 public:
  virtual ~ApprovalBook() = default;

  /// With its document, while it is pending. kNotFound; kStoreCorrupt when the document is not what its digest says.
  virtual Result<ParkedCall> find(std::string_view id) = 0;

  /// Without its document, so that one whose document is damaged can still be ended. kNotFound.
  virtual Result<ParkedCall> summary(std::string_view id) = 0;

  /// Without documents, in the order in which they were asked for. kNotFound when `after` names none.
  virtual Result<std::vector<ParkedCall>> list(const ApprovalQuery& query) = 0;

  /// Ends one that is pending because somebody says so, and forgets its document. Whoever decides calls will do it by the same statement.
  /// \return the sequence of the audit entry; kNotFound; kConflict when it is not pending any more, or has expired
  virtual Result<std::uint64_t> cancel(std::string_view id, sys_seconds now, const AuditEntry& audit) = 0;

  /// Ends one that is pending because its time is over, and forgets its document.
  /// \return as cancel(); kConflict also when its time is not over
  virtual Result<std::uint64_t> expire(std::string_view id, sys_seconds now, const AuditEntry& audit) = 0;

  /// Those that are pending though their time is over, without documents, at most kMaxPage, the first that expired first. One
  /// that cannot be read is left out: it keeps no other from being ended.
  virtual Result<std::vector<ParkedCall>> overdue(sys_seconds now) = 0;

  /// How many wait.
  virtual Result<std::uint64_t> pending(sys_seconds now) = 0;

  virtual Status prune(sys_seconds now) = 0;
};

inline constexpr Error kNoSuchApproval{
    ErrorCode::kNotFound, "no such approval: `chancery approval list` shows those that there are"};

}  // namespace chancery::store
