#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/store/approval_book.hpp"
#include "daemon/store/journal.hpp"

namespace chancery::store {

[[nodiscard]] std::unique_ptr<ApprovalBook> make_sqlite_approval_book(std::shared_ptr<Journal> journal);

/// What came of parking a call. Only kParked has written anything.
struct Parking {
  enum class Outcome : std::uint8_t {
    kParked,
    kWaitsAlready,  ///< the same call is pending: `id`, which may be overdue
    kApproved,      ///< it is approved: `id`, which may have lapsed
    kTooManyOfKey,
    kTooManyOfFirst,
    kTooMany,
  };
  Outcome outcome = Outcome::kParked;
  std::string id{};
};

/// Whether there is room for one more by its key, under its first holder, and in all: kParked if there is. While the journal is held, or
/// within a transaction.
[[nodiscard]] Result<Parking::Outcome> room_for(Database& database, const ParkedCall& call);

/// Writes a new parked call, within the bounds. Within a transaction.
[[nodiscard]] Result<Parking> park_call(Database& database, const ParkedCall& call);

// While the journal is held, or within a transaction. kNotFound.

/// As ApprovalBook::find() and votes().
[[nodiscard]] Result<ParkedCall> read_request(Database& database, std::string_view id);
[[nodiscard]] Result<std::vector<Vote>> votes_about(Database& database, std::string_view id);

/// Whether that call is pending, and its time not over. Within a transaction.
[[nodiscard]] Result<bool> is_waiting(Database& database, std::string_view id, sys_seconds now);

/// Uses an approval up, if it is for this subject, has not lapsed and nobody else has used it; its audit entry stands before what
/// else the transaction appends. Within a transaction.
/// \return whether it was used
[[nodiscard]] Result<bool> use_approval(Journal& journal, const ApprovalUse& use, sys_seconds now);

/// Takes back what a key decided about requests that nothing has come of yet; those that were approved with it lapse, and what it decided
/// is nobody's example. Within a transaction.
/// \return their ids
[[nodiscard]] Result<std::vector<std::string>> void_votes(Journal& journal, const Thumbprint& key,
                                                          sys_seconds now, const EntryOf& lapsed);

}  // namespace chancery::store
