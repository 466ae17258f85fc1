#pragma once

#include <memory>

#include "daemon/store/journal.hpp"
#include "daemon/store/permit_book.hpp"

namespace chancery::store {

[[nodiscard]] std::unique_ptr<PermitBook> make_sqlite_permit_book(std::shared_ptr<Journal> journal);

/// Writes a new permit, and the use of the credential that is released with it. Within a transaction.
/// \return kConflict as VaultBook::take_use()
[[nodiscard]] Status give_permit(Database& database, const NewPermit& given);

/// While the journal is held. kNotFound.
[[nodiscard]] Result<Permit> read_permit(Database& database, std::string_view id);

}  // namespace chancery::store
