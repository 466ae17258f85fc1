#pragma once

#include <memory>

#include "daemon/store/freeze_book.hpp"
#include "daemon/store/journal.hpp"

namespace chancery::store {

[[nodiscard]] std::unique_ptr<FreezeBook> make_sqlite_freeze_book(std::shared_ptr<Journal> journal);

}  // namespace chancery::store
