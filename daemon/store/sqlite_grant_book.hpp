#pragma once

#include <memory>

#include "daemon/store/grant_book.hpp"
#include "daemon/store/journal.hpp"

namespace chancery::store {

[[nodiscard]] std::unique_ptr<GrantBook> make_sqlite_grant_book(std::shared_ptr<Journal> journal);

}  // namespace chancery::store
