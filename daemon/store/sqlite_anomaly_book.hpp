#pragma once

#include <memory>

#include "daemon/store/anomaly_book.hpp"
#include "daemon/store/journal.hpp"

namespace chancery::store {

[[nodiscard]] std::unique_ptr<AnomalyBook> make_sqlite_anomaly_book(std::shared_ptr<Journal> journal);

}  // namespace chancery::store
