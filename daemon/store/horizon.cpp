#include "daemon/store/horizon.hpp"

namespace chancery::store {
namespace {

constexpr const char* kUntil = "SELECT until FROM forgotten WHERE book = ?";
constexpr const char* kRaise =
    "INSERT INTO forgotten (book, until) VALUES (?, ?) "
    "ON CONFLICT DO UPDATE SET until = max(until, excluded.until)";
constexpr const char* kReset = "DELETE FROM forgotten";

}  // namespace

Status require_remembered(Database& database, std::string_view book, std::chrono::sys_seconds now) {
  CHANCERY_ASSIGN(Query select, database.query(kUntil));
  CHANCERY_ASSIGN(const bool row, select.bind(book).step());
  if (!row || select.time(0) <= now) return {};
  return Error{
      ErrorCode::kSpendingHalted,
      "the clock is behind what the store has forgotten already: set it right; if it was wrong before "
      "and is right now, `chancery budget accept` goes on"};
}

Status note_forgotten(Database& database, std::string_view book, std::chrono::sys_seconds until) {
  CHANCERY_ASSIGN(Query raise, database.query(kRaise));
  return raise.bind(book).bind(until).run();
}

Status reset_horizons(Database& database) {
  CHANCERY_ASSIGN(Query reset, database.query(kReset));
  return reset.run();
}

}  // namespace chancery::store
