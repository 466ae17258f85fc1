#pragma once

#include <memory>

#include "daemon/store/host_book.hpp"
#include "daemon/store/journal.hpp"

namespace chancery::store {

[[nodiscard]] std::unique_ptr<HostBook> make_sqlite_host_book(std::shared_ptr<Journal> journal);

}  // namespace chancery::store
