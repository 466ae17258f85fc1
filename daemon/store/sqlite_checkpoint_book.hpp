#pragma once

#include <memory>

#include "daemon/store/checkpoint_book.hpp"
#include "daemon/store/journal.hpp"

namespace chancery::store {

[[nodiscard]] std::unique_ptr<CheckpointBook> make_sqlite_checkpoint_book(std::shared_ptr<Journal> journal);

}  // namespace chancery::store
