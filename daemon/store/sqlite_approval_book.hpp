#pragma once

#include <memory>
#include <string>

#include "daemon/store/approval_book.hpp"
#include "daemon/store/journal.hpp"

namespace chancery::store {

[[nodiscard]] std::unique_ptr<ApprovalBook> make_sqlite_approval_book(std::shared_ptr<Journal> journal);

/// What came of parking a call. Only kParked has written anything.
struct Parking {
  enum class Outcome : std::uint8_t {
    kParked,
    kWaitsAlready,  ///< the same call is pending: `id`, which may be overdue
    kTooManyOfKey,
    kTooManyOfFirst,
    kTooMany,
  };
  Outcome outcome = Outcome::kParked;
  std::string id{};
};

/// Writes a new parked call, within the bounds. Within a transaction.
[[nodiscard]] Result<Parking> park_call(Database& database, const ParkedCall& call);

/// Whether that call is pending, and its time not over. Within a transaction.
[[nodiscard]] Result<bool> is_waiting(Database& database, std::string_view id, sys_seconds now);

}  // namespace chancery::store
