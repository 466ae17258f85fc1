#pragma once

#include <cstdint>

#include <chancery/result.hpp>

#include "daemon/store/sqlite.hpp"

namespace chancery::store {

/// Up to how many pages a start reads the whole database: 256 MiB, some seconds.
inline constexpr std::int64_t kPagesReadAtStart = std::int64_t{1} << 16;

/// Reads the database before anything is answered from it, each index against its table: a page that is lost or another's
/// would otherwise show as a record that is not there, and a token as one that was never revoked. Of a larger database it
/// reads all but the audit log, which its tree vouches for, and the tokens: all that says no to somebody. The rest is read
/// whenever a backup is made.
/// \param most  of pages, for tests
/// \return kStoreCorrupt when something is damaged
[[nodiscard]] Status check_soundness(Database& database, std::int64_t most = kPagesReadAtStart);

}  // namespace chancery::store
