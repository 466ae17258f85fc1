#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "daemon/store/approval_book.hpp"
#include "daemon/store/gate_book.hpp"
#include "daemon/store/permit_book.hpp"
#include "daemon/store/proof_book.hpp"
#include "daemon/store/store.hpp"

namespace chancery::store {

/// Millionths of whatever a constraint's key counts.
using Millionths = std::int64_t;

enum class TotalKind : std::uint8_t {
  kLifetime = 1,  ///< of what a token itself did
  kSubtree = 2,   ///< of what it and its descendants did
  kRate = 3,      ///< the same, within one window of time
};

/// Names one running total. A token is named by the SHA-256 of its signing input: its holder chooses `jti`,
/// and an ES256 signature can be rewritten.
struct TotalName {
  Sha256Digest token{};
  TotalKind kind = TotalKind::kLifetime;
  std::string key;          ///< the constraint's, whole
  std::int64_t window = 0;  ///< where a kRate's window starts, seconds since 1970
  bool operator==(const TotalName&) const = default;
};

/// What one action adds to one running total.
struct Debit {
  TotalName total;
  Millionths amount = 0;     ///< not negative
  Millionths bound = 0;      ///< that the total may reach, and not pass
  std::string parameter;     ///< by which settle() names the amount; empty: a count, which stays
  sys_seconds expires_at{};  ///< when nobody can act under the total any more
};

/// Makes a request repeatable: the same one under the same key gets the same answer, and is debited once.
struct RepeatableRequest {
  std::string key;         ///< the caller's own
  Sha256Digest request{};  ///< of all that was asked
};

/// A decision about to be given.
struct Decision {
  std::string id;          ///< random; settle() and release() name a reservation by it
  std::string caller;      ///< the enforcement point
  std::string audience{};  ///< for whom it asks
  sys_seconds at{};
  ProofUse proof;
  std::vector<Debit> debits{};                  ///< empty for a denial; at most one a total
  std::optional<sys_seconds> reserved_until{};  ///< none: spent at once
  std::optional<RepeatableRequest> repeatable{};
  std::string answer{};                 ///< what a repetition gets; empty: nothing is kept for one
  const AuditEntry* attempt = nullptr;  ///< stands in the log before the decision; borrowed
  const NewPermit* permit = nullptr;    ///< given with it; borrowed
  /// Parked by it; borrowed. Then nothing is debited or reserved, but the debits must be possible now: those of a rate,
  /// whose window will be another, by themselves alone.
  const ParkedCall* parked = nullptr;
  /// Parked before, for the same: recorded only if it waits still. Borrowed.
  const ParkedCall* repeated = nullptr;
  /// Approved, and used up by it: recorded only if the approval is for this subject, has not lapsed, and nobody else used it. Borrowed.
  const ApprovalUse* approved = nullptr;
  std::vector<LetThrough> let_through{};  ///< by gates, from now on
};

/// What came of recording a decision. Nothing is recorded but by kRecorded.
struct Recording {
  enum class Outcome : std::uint8_t {
    kRecorded,
    kAnsweredBefore,  ///< the same request: `answer` is what it got
    kOtherRequest,    ///< the key was used for another request
    kProofUsed,
    kTooManyProofs,
    kOverBound,      ///< `debit` would have brought its total to `total`
    kWaitsAlready,   ///< the call that was to be parked is pending: `answer` is its id, and it may be overdue
    kWaitsNoLonger,  ///< the call that was `repeated` has ended meanwhile
    kApproved,  ///< what was to be parked is approved: `answer` is its id, and the approval may have lapsed
    kApprovedNoLonger,  ///< what was `approved` was used or has lapsed meanwhile
    kTooManyOfKey,      ///< calls of this agent's key wait
    kTooManyOfFirst,    ///< calls of this chain's first holder, and of those below it, wait
    kTooManyParked,
  };
  Outcome outcome = Outcome::kRecorded;
  std::string answer{};
  std::size_t debit = 0;
  Millionths total = 0;
};

/// A reservation, whatever has become of it.
struct Reservation {
  std::string audience;  ///< for whom it was made
  bool is_released = false;
};

/// Amounts by parameter.
using SettledAmounts = std::map<std::string, Millionths, std::less<>>;

struct LedgerCounts {
  std::uint64_t totals = 0;
  std::uint64_t reservations = 0;  ///< that are open
  bool operator==(const LedgerCounts&) const = default;
};

/// Keeps what was spent under tokens and their ancestors. A total includes what is reserved: a reservation is
/// spent at once, and only its settlement for less, or its release, gives anything back. Thread-safe; calls
/// wait for the disk, and what they returned survives `kill -9`.
///
/// Errors common to all: the store's (see Store), and kSpendingHalted while the clock is behind what was
/// forgotten. tests/unit/daemon/ledger_contract.cpp holds what every implementation must pass.
class Ledger {
 public:
  virtual ~Ledger() = default;

  /// Records a decision in one transaction: the proof's use, every debit within its bound, the reservation,
  /// the answer to repetitions and the audit entry; or none of it.
  virtual Result<Recording> record(const Decision& decision, const AuditEntry& audit) = 0;

  /// Ends a reservation with what was really used.
  /// \param amounts  by parameter, at most what was reserved; what is not named is settled in full
  /// \return kNotFound, kForbidden when another caller reserved, kConflict when it has ended,
  ///         kInvalidArgument for a parameter that was not reserved or an amount beyond it
  virtual Status settle(std::string_view id, std::string_view caller, const SettledAmounts& amounts,
                        const AuditEntry& audit) = 0;

  /// Ends a reservation of which nothing was used, counts included. As settle().
  virtual Status release(std::string_view id, std::string_view caller, const AuditEntry& audit) = 0;

  /// Settles in full what was neither settled nor released in time, and forgets what can matter no more.
  virtual Status prune(sys_seconds now) = 0;

  /// 0 for one that nothing was debited to.
  virtual Result<Millionths> total(const TotalName& name) = 0;
  /// Of a decision with a reservation, for a day after that has expired. kNotFound.
  virtual Result<Reservation> reservation(std::string_view id) = 0;
  /// Counts every total: for people who ask.
  virtual Result<LedgerCounts> counts() = 0;
  /// How many reservations are open that hold an amount of one of these tokens' totals.
  /// \param tokens  ids: digests in hexadecimal
  virtual Result<std::uint64_t> open_reservations(const std::set<std::string_view>& tokens,
                                                  sys_seconds now) = 0;
  /// Of the reservations that are open alone, at no more cost than there are of them.
  virtual Result<std::uint64_t> reservation_count() = 0;
};

}  // namespace chancery::store
