#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/store/approval_book.hpp"
#include "daemon/store/sqlite.hpp"

namespace chancery::store {

// What persons decided about a request, by the row of the request. Within a transaction, or while the journal is held.

/// In the order in which they were cast, those that count no more too.
[[nodiscard]] Result<std::vector<Vote>> votes_of(Database& database, std::int64_t call);

/// kConflict when the person has decided about it before.
[[nodiscard]] Status insert_vote(Database& database, std::int64_t call, const Vote& vote);

/// The ids of requests that are pending or approved, and were decided about by this key.
[[nodiscard]] Result<std::vector<std::string>> open_calls_of(Database& database, const Thumbprint& key);

/// The key's votes about those requests count no more.
[[nodiscard]] Status void_open_votes(Database& database, const Thumbprint& key, sys_seconds now);

}  // namespace chancery::store
