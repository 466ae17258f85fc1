#pragma once

#include <memory>

#include "daemon/store/audit_book.hpp"
#include "daemon/store/journal.hpp"

namespace chancery::store {

[[nodiscard]] std::unique_ptr<AuditBook> make_sqlite_audit_book(std::shared_ptr<Journal> journal);

}  // namespace chancery::store
