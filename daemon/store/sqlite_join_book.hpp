#pragma once

#include <memory>

#include "daemon/store/join_book.hpp"
#include "daemon/store/journal.hpp"

namespace chancery::store {

[[nodiscard]] std::unique_ptr<JoinBook> make_sqlite_join_book(std::shared_ptr<Journal> journal);

}  // namespace chancery::store
