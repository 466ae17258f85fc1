#pragma once

#include <memory>

#include "daemon/store/incident_book.hpp"
#include "daemon/store/journal.hpp"

namespace chancery::store {

[[nodiscard]] std::unique_ptr<IncidentBook> make_sqlite_incident_book(std::shared_ptr<Journal> journal);

}  // namespace chancery::store
