#pragma once

#include <chrono>

#include <chancery/result.hpp>

#include "daemon/store/sqlite.hpp"

namespace chancery::store {

// Until when each book has forgotten. A clock that is set back to before that would meet requests whose
// records are gone, so they are refused until it has caught up. Within an effect, or while the journal is held.

/// By how much a clock may be set back without being noticed, and how long records stay beyond their use.
inline constexpr std::chrono::minutes kClockMargin{5};

/// \param book  a literal
/// \return kSpendingHalted when `now` lies before what the book has forgotten
[[nodiscard]] Status require_remembered(Database& database, std::string_view book,
                                        std::chrono::sys_seconds now);

/// Notes that a book has forgotten what ended before `until`.
[[nodiscard]] Status note_forgotten(Database& database, std::string_view book,
                                    std::chrono::sys_seconds until);

/// The operator vouches for the clock.
[[nodiscard]] Status reset_horizons(Database& database);

}  // namespace chancery::store
