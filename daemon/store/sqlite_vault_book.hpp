#pragma once

#include <memory>

#include "daemon/store/journal.hpp"
#include "daemon/store/vault_book.hpp"

namespace chancery::store {

[[nodiscard]] std::unique_ptr<VaultBook> make_sqlite_vault_book(std::shared_ptr<Journal> journal);

}  // namespace chancery::store
