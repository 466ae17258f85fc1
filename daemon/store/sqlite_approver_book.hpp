#pragma once

#include <memory>
#include <string_view>

#include "daemon/store/approver_book.hpp"
#include "daemon/store/journal.hpp"

namespace chancery::store {

[[nodiscard]] std::unique_ptr<ApproverBook> make_sqlite_approver_book(std::shared_ptr<Journal> journal);

/// Who decides by that key, with all keys. Within a transaction.
/// \return kForbidden when nobody has it, or it has ended; kStoreCorrupt
[[nodiscard]] Result<Approver> active_approver(Journal& journal, const Thumbprint& key);

/// A key, whatever its state. While the journal is held.
/// \return kNotFound when nobody has it; kStoreCorrupt
[[nodiscard]] Result<ApproverKey> approver_key(Journal& journal, const Thumbprint& key);

/// How many records of approvers and their keys are damaged, or were changed by another hand. While the journal is held.
[[nodiscard]] Result<std::size_t> count_damaged_approvers(Journal& journal);

}  // namespace chancery::store
