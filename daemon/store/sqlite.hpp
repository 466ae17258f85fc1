#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <sqlite3.h>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

namespace chancery::store {

// What is wrong with a disk, and what to do; whoever finds it out says it so.
inline constexpr const char* kFullDisk =
    "the state folder's file system is full: free some space, and the daemon goes on by itself";
inline constexpr const char* kReadOnlyDisk =
    "the state folder's file system is read-only: check its disk and mount it for writing, and the daemon "
    "goes on by itself";
inline constexpr Error kDamagedDatabase{
    ErrorCode::kStoreCorrupt,
    "the database in the state folder is damaged: stop the daemon, and `chancery restore` puts a backup in "
    "its place; see docs/operations/recovery.md"};

/// The one gate for SQLite's codes: success only when `code` is exactly `expected`. Corruption, unusable
/// disks and violated constraints become kStoreCorrupt, kStoreUnavailable, kConflict or kNotFound (foreign
/// key), with the extended code kept.
/// \param reason  the errno of a call that failed with an I/O error; 0: unknown
[[nodiscard]] Status check_sqlite(int code, int expected = SQLITE_OK, int reason = 0) noexcept;

/// One use of a prepared statement: bind in order, step, read columns (0-based). Bound text and octets are
/// borrowed until the query ends. Ending it makes the statement ready for its next use.
class Query {
 public:
  /// \param is_damaged  borrowed; set when SQLite finds that the file is damaged
  Query(sqlite3_stmt* statement, bool& is_damaged) noexcept
      : statement_(statement), is_damaged_(&is_damaged) {}
  ~Query();
  Query(Query&& other) noexcept;
  Query& operator=(Query&&) = delete;

  Query& bind(std::string_view text) noexcept;
  Query& bind_optional(const std::optional<std::string>& text) noexcept;
  Query& bind_optional(const std::optional<std::chrono::sys_seconds>& time) noexcept;
  Query& bind(std::int64_t number) noexcept;
  Query& bind(ByteView octets) noexcept;
  Query& bind(std::chrono::sys_seconds time) noexcept {
    return bind(std::int64_t{time.time_since_epoch().count()});
  }

  /// \return whether there is a row to read
  Result<bool> step() noexcept;
  /// For statements that give no rows.
  Status run() noexcept;

  [[nodiscard]] bool is_null(int column) const noexcept;
  [[nodiscard]] std::int64_t number(int column) const noexcept;
  [[nodiscard]] std::chrono::sys_seconds time(int column) const noexcept;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] Bytes octets(int column) const;

 private:
  Query& note(int code) noexcept;
  sqlite3_stmt* statement_;
  bool* is_damaged_;
  int bound_ = 0;
  int bind_code_ = SQLITE_OK;  ///< the first failure of a bind; step() reports it
};

/// A connection to one database file, its settings fixed for durability, and its prepared statements. One
/// thread at a time.
class Database {
 public:
  /// Opens or creates the file (0600) with synchronous=FULL and foreign keys; changes nothing in it.
  static Result<Database> open(const std::filesystem::path& file);

  /// Turns on write-ahead logging, which the file remembers.
  Status use_write_ahead_log();
  /// Turns it off: what is in the log is in the file then, which is complete by itself.
  Status use_rollback_journal();

  /// Replaces what is in another database with what was committed in this one when the call began. Writers of other
  /// connections go on meanwhile.
  Status copy_to(Database& other);

  /// Reads every page and every index: false when something is damaged.
  Result<bool> is_sound();
  /// The same for one table and its indexes.
  Result<bool> is_sound(std::string_view table);

  /// Whether SQLite has found, in whatever was asked of this connection, that the file is damaged. It stays so: what
  /// can still be read may lack what stood on other pages.
  [[nodiscard]] bool is_damaged() const noexcept { return *is_damaged_; }

  [[nodiscard]] std::filesystem::path file() const;

  /// Runs statements that give nothing back.
  Status execute(const char* sql) noexcept;

  /// \param sql one statement in a constant: it is prepared once and kept under its address
  Result<Query> query(const char* sql);

  /// The first column of the first row, a number.
  Result<std::int64_t> number(const char* sql);

  /// The key of the last row that was inserted.
  [[nodiscard]] std::int64_t last_row() const noexcept {
    return sqlite3_last_insert_rowid(connection_.get());
  }
  [[nodiscard]] int changes() const noexcept { return sqlite3_changes(connection_.get()); }
  [[nodiscard]] bool in_transaction() const noexcept {
    return sqlite3_get_autocommit(connection_.get()) == 0;
  }

  /// kStoreUnavailable when the file was deleted or replaced under us: what is written then is lost.
  Status check_in_place() noexcept;

 private:
  struct Close {
    void operator()(sqlite3* connection) const noexcept { sqlite3_close_v2(connection); }
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
  };
  explicit Database(sqlite3* connection) : connection_(connection) {}
  Status configure();
  Status check(int code) noexcept;

  std::unique_ptr<sqlite3, Close> connection_;
  std::unique_ptr<bool> is_damaged_ = std::make_unique<bool>(false);  // in a place that its queries keep
  std::unordered_map<const char*, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;
};

/// A write transaction: rolled back unless commit() succeeded. Borrows the database.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  ~Transaction();
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;

  /// When this succeeds, the transaction is on the disk.
  Status commit() noexcept;

 private:
  explicit Transaction(Database& database) noexcept : database_(&database) {}
  Database* database_;
};

}  // namespace chancery::store
