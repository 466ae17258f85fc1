#include "daemon/store/soundness.hpp"

#include <string>
#include <vector>

namespace chancery::store {
namespace {

// All but those that grow with each request.
constexpr const char* kSmallTables =
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('audit', 'audit_refs', 'tokens') "
    "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

Result<std::vector<std::string>> small_tables(Database& database) {
  CHANCERY_ASSIGN(Query rows, database.query(kSmallTables));
  std::vector<std::string> names;
  while (true) {
    CHANCERY_ASSIGN(const bool row, rows.step());
    if (!row) return names;
    names.push_back(rows.text(0));
  }
}

Result<bool> are_small_tables_sound(Database& database) {
  CHANCERY_ASSIGN(const std::vector<std::string> names, small_tables(database));
  for (const std::string& name : names) {
    CHANCERY_ASSIGN(const bool is_sound, database.is_sound(name));
    if (!is_sound) return false;
  }
  return true;
}

}  // namespace

Status check_soundness(Database& database, std::int64_t most) {
  CHANCERY_ASSIGN(const std::int64_t pages, database.number("PRAGMA page_count"));
  CHANCERY_ASSIGN(const bool is_sound,
                  pages <= most ? database.is_sound() : are_small_tables_sound(database));
  if (is_sound) return {};
  return kDamagedDatabase;
}

}  // namespace chancery::store
