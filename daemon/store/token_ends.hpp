#pragma once

#include <optional>
#include <string>

#include <chancery/result.hpp>

#include "daemon/store/sqlite.hpp"
#include "daemon/store/status_book.hpp"

namespace chancery::store {

// What the store and the book of statuses do to the same tables, each within an effect of a journal.

/// Records an act and marks the tokens of its target.
/// \return the act as it stands now
[[nodiscard]] Result<StatusAct> record_act(Database& database, StatusAct act);

/// Records a token that was delegated offline, unless it is known; see StatusBook::adopt().
/// \return its status; none when it was known
[[nodiscard]] Result<std::optional<TokenStatus>> adopt_token(Database& database, const IssuedToken& token);

/// Revokes the tokens of a target because what held them has ended. Leaves no act when there are none.
[[nodiscard]] Status end_tokens(Database& database, const StatusTarget& target, std::string reason,
                                sys_seconds at);

/// Revokes every token that has not expired. Leaves an act also when there are none.
[[nodiscard]] Status end_all_tokens(Database& database, std::string reason, sys_seconds at);

/// That a token may come into being: its parent is valid (else kParentDenied), and neither agent, key nor
/// principal is suspended (else kForbidden).
[[nodiscard]] Status expect_unended(Database& database, const IssuedToken& token);

/// Gives a place that was allocated to the token of that row. kConflict when another has it.
[[nodiscard]] Status take_place(Database& database, const StatusPlace& place, std::int64_t token);

}  // namespace chancery::store
