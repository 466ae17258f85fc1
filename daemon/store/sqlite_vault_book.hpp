#pragma once

#include <memory>

#include "daemon/store/journal.hpp"
#include "daemon/store/vault_book.hpp"

namespace chancery::store {

[[nodiscard]] std::unique_ptr<VaultBook> make_sqlite_vault_book(std::shared_ptr<Journal> journal);

// What VaultBook::take_use() and end_use() do, within somebody else's transaction.

[[nodiscard]] Status take_use_within(Database& database, const Credential& read, const CredentialUse& use,
                                     sys_seconds now);
[[nodiscard]] Status end_use_within(Database& database, std::string_view id);

}  // namespace chancery::store
