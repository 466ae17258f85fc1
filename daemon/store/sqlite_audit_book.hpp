#pragma once

#include <memory>

#include "daemon/store/audit_book.hpp"
#include "daemon/store/journal.hpp"

namespace chancery::store {

[[nodiscard]] std::unique_ptr<AuditBook> make_sqlite_audit_book(std::shared_ptr<Journal> journal);

/// The log's name; empty before it has one.
[[nodiscard]] Result<std::string> read_log_name(Database& database);
/// The newest under that name; nothing before the first.
[[nodiscard]] Result<std::optional<SignedCheckpoint>> read_last_checkpoint(Database& database);

}  // namespace chancery::store
