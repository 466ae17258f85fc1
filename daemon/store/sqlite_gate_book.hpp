#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/store/gate_book.hpp"
#include "daemon/store/journal.hpp"

namespace chancery::store {

[[nodiscard]] std::unique_ptr<GateBook> make_sqlite_gate_book(std::shared_ptr<Journal> journal);

/// Within a transaction. What was let through before stays so. Values are kept as their seals.
[[nodiscard]] Status let_through(Journal& journal, const std::vector<LetThrough>& values, sys_seconds now);

/// Puts a token that is being recorded behind a gate. Within that transaction.
[[nodiscard]] Status put_behind(Database& database, const std::string& token, const std::string& gate);

}  // namespace chancery::store
