#pragma once

#include <optional>
#include <string_view>

#include "daemon/store/approval_book.hpp"
#include "daemon/store/sqlite.hpp"

namespace chancery::store {

// The last document that was decided for each thing that is asked for. Within a transaction, or while the journal is held.

/// Keeps the document of a request that is about to leave `pending` by a decision, in place of the one before; of too many the
/// first that were decided go. Within a transaction.
[[nodiscard]] Status keep_decided(Database& database, std::string_view id, bool is_approved, sys_seconds now);

/// As ApprovalBook::last_decided_like().
[[nodiscard]] Result<std::optional<DecidedDocument>> decided_like(Database& database, const ParkedCall& call);

/// Forgets that of one request, if it is kept.
[[nodiscard]] Status forget_decided_of(Database& database, std::string_view id);

/// Forgets those of requests about which a key decided, whatever came of them, as far as it is known who decided: before its votes are
/// taken back.
[[nodiscard]] Status forget_decided_by(Database& database, const Thumbprint& key);

/// Forgets those of what was decided before.
[[nodiscard]] Status forget_decided_before(Database& database, sys_seconds before);

}  // namespace chancery::store
