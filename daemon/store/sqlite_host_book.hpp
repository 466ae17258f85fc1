#pragma once

#include <memory>
#include <vector>

#include "daemon/store/host_book.hpp"
#include "daemon/store/journal.hpp"

namespace chancery::store {

[[nodiscard]] std::unique_ptr<HostBook> make_sqlite_host_book(std::shared_ptr<Journal> journal);

/// As HostBook::results(), while the journal is held.
[[nodiscard]] Result<std::vector<HeldResult>> results_about(Database& database, const Thumbprint& key,
                                                            sys_seconds now);

}  // namespace chancery::store
