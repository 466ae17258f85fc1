#pragma once

#include <memory>

#include "daemon/store/journal.hpp"
#include "daemon/store/ledger.hpp"

namespace chancery::store {

[[nodiscard]] std::unique_ptr<Ledger> make_sqlite_ledger(std::shared_ptr<Journal> journal);

}  // namespace chancery::store
