#include "daemon/store/sqlite.hpp"

#include <cerrno>
#include <new>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace chancery::store {
namespace {

// Only our own process writes (StateLock); a reader such as the sqlite3 shell may hold the file for a moment.
constexpr int kBusyTimeoutMs = 2000;

Error unavailable(const char* what, int code) noexcept {
  return {ErrorCode::kStoreUnavailable, what, static_cast<std::uint64_t>(code)};
}

Error constraint_error(int code) noexcept {
  const auto native = static_cast<std::uint64_t>(code);
  switch (code) {
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return {ErrorCode::kNotFound, "the record names an agent that the store does not have", native};
    case SQLITE_CONSTRAINT_CHECK:
    case SQLITE_CONSTRAINT_NOTNULL:
    case SQLITE_CONSTRAINT_DATATYPE:
      return {ErrorCode::kInvalidArgument, "a field of the record is not of the form that the store keeps",
              native};
    default:  // int, not an enum: SQLite may add kinds of constraints
      return {ErrorCode::kConflict, "the name, identifier or key is in use: choose another", native};
  }
}

bool tells_damage(int code) noexcept {
  const int primary = code & 0xFF;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

// SQLite tells a full disk from other failures, not a quota or a disk that the kernel no longer lets anybody write to.
Error disk_error(int code, int reason) noexcept {
  if (reason == ENOSPC || reason == EDQUOT) return unavailable(kFullDisk, code);
  if (reason == EROFS) return unavailable(kReadOnlyDisk, code);
  if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) {
    return unavailable(
        "the disk did not confirm what was written, so that none of it counts: check the state folder's disk",
        code);
  }
  return unavailable("reading or writing the database failed: check the state folder's disk", code);
}

Error sqlite_error(int code, int reason = 0) noexcept {
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
      return {kDamagedDatabase.code, kDamagedDatabase.what, static_cast<std::uint64_t>(code)};
    case SQLITE_ERROR:  // of a statement of ours: the tables are not those that we made
      return {ErrorCode::kStoreCorrupt, "the tables of the database are damaged: restore it from a backup",
              static_cast<std::uint64_t>(code)};
    case SQLITE_CONSTRAINT:
      return constraint_error(code);
    case SQLITE_FULL:
      return unavailable(kFullDisk, code);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
      return unavailable("the database cannot be written: make the state folder writable for the daemon",
                         code);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return unavailable("another program holds the database: close it and try again", code);
    case SQLITE_IOERR:
    case SQLITE_NOLFS:
    case SQLITE_PROTOCOL:
      return disk_error(code, reason);
    case SQLITE_NOMEM:
      return unavailable("not enough memory for the database: give the daemon more", code);
    default:
      return {ErrorCode::kInternal, "the database refused a statement of ours: report this",
              static_cast<std::uint64_t>(code)};
  }
}

// SQLite would create the file with the umask's permissions; its -wal and -shm inherit those of the file. A
// file that exists is not opened here: closing it would drop the locks that this process holds on it.
Status create_private(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0 && errno == EEXIST) return {};
  if (descriptor < 0) {
    return unavailable("cannot make the database: make the state folder writable for the daemon", errno);
  }
  ::close(descriptor);
  const int folder = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool durable = folder >= 0 && ::fsync(folder) == 0;
  const int reason = errno;
  if (folder >= 0) ::close(folder);
  if (!durable) return unavailable("cannot sync the state folder: check its disk", reason);
  return {};
}

}  // namespace

Status check_sqlite(int code, int expected, int reason) noexcept {
  if (code == expected) return {};
  return sqlite_error(code, reason);
}

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Query::Query(Query&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)),
      is_damaged_(other.is_damaged_),
      bound_(other.bound_),
      bind_code_(other.bind_code_) {}

Query& Query::note(int code) noexcept {
  if (bind_code_ == SQLITE_OK) bind_code_ = code;
  return *this;
}

Query& Query::bind(std::string_view text) noexcept {
  // A null pointer would bind NULL, not the empty text.
  const char* data = text.data() == nullptr ? "" : text.data();
  return note(sqlite3_bind_text64(statement_, ++bound_, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

Query& Query::bind_optional(const std::optional<std::string>& text) noexcept {
  if (text) return bind(std::string_view(*text));
  return note(sqlite3_bind_null(statement_, ++bound_));
}

Query& Query::bind_optional(const std::optional<std::chrono::sys_seconds>& time) noexcept {
  if (time) return bind(*time);
  return note(sqlite3_bind_null(statement_, ++bound_));
}

Query& Query::bind(std::int64_t number) noexcept {
  return note(sqlite3_bind_int64(statement_, ++bound_, number));
}

Query& Query::bind(ByteView octets) noexcept {
  if (octets.empty()) return note(sqlite3_bind_zeroblob(statement_, ++bound_, 0));
  return note(sqlite3_bind_blob64(statement_, ++bound_, octets.data(), octets.size(), SQLITE_STATIC));
}

Result<bool> Query::step() noexcept {
  CHANCERY_TRY(check_sqlite(bind_code_));
  errno = 0;  // SQLite's own record of it has none of a commit's
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  *is_damaged_ |= tells_damage(code);
  CHANCERY_TRY(check_sqlite(code, SQLITE_DONE, errno));
  return false;
}

Status Query::run() noexcept {
  CHANCERY_ASSIGN(const bool row, step());
  if (row) return Error{ErrorCode::kInternal, "a statement of ours gave an unexpected row: report this"};
  return {};
}

bool Query::is_null(int column) const noexcept {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::int64_t Query::number(int column) const noexcept { return sqlite3_column_int64(statement_, column); }

std::chrono::sys_seconds Query::time(int column) const noexcept {
  return std::chrono::sys_seconds(std::chrono::seconds(number(column)));
}

std::string Query::text(int column) const {
  const unsigned char* data = sqlite3_column_text(statement_, column);
  if (data == nullptr) {
    if (is_null(column)) return {};
    throw std::bad_alloc();
  }
  return {reinterpret_cast<const char*>(data),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Bytes Query::octets(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  if (data == nullptr && size != 0) throw std::bad_alloc();
  return data == nullptr ? Bytes{} : Bytes(data, data + size);
}

Result<Database> Database::open(const std::filesystem::path& file) {
  CHANCERY_TRY(create_private(file));
  sqlite3* connection = nullptr;
  const int code = sqlite3_open_v2(
      file.c_str(), &connection,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE, nullptr);
  Database database(connection);  // even a failed open gives a connection to close
  CHANCERY_TRY(check_sqlite(code));
  CHANCERY_TRY(database.configure());
  return database;
}

Status Database::configure() {
  sqlite3* connection = connection_.get();
  // Opening falls back to reading alone, which would be noticed only when the first token is to be recorded.
  if (sqlite3_db_readonly(connection, "main") != 0) return sqlite_error(SQLITE_READONLY);
  CHANCERY_TRY(check_sqlite(sqlite3_busy_timeout(connection, kBusyTimeoutMs)));
  CHANCERY_TRY(check_sqlite(sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr)));
  CHANCERY_TRY(check_sqlite(sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr)));
  CHANCERY_TRY(
      execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON; "
              "PRAGMA secure_delete = ON; PRAGMA cache_size = -16384"));
  CHANCERY_ASSIGN(const std::int64_t synchronous, number("PRAGMA synchronous"));
  CHANCERY_ASSIGN(const std::int64_t foreign_keys, number("PRAGMA foreign_keys"));
  if (synchronous != 2 || foreign_keys != 1) {
    return unavailable("this SQLite cannot sync or check foreign keys: use the distribution's library", 0);
  }
  return {};
}

Status Database::use_write_ahead_log() {
  CHANCERY_ASSIGN(Query mode, query("PRAGMA journal_mode = WAL"));
  CHANCERY_ASSIGN(const bool row, mode.step());
  if (!row || mode.text(0) != "wal") {
    return unavailable("the database cannot use write-ahead logging: put the state folder on a local disk",
                       0);
  }
  // Whoever commits next has the whole log copied back; what was written often meanwhile is copied once.
  return execute("PRAGMA wal_autocheckpoint = 4000");
}

Status Database::use_rollback_journal() {
  CHANCERY_ASSIGN(Query mode, query("PRAGMA journal_mode = DELETE"));
  CHANCERY_ASSIGN(const bool row, mode.step());
  if (row && mode.text(0) == "delete") return {};
  return unavailable("the database cannot do without its log: check the state folder's disk", 0);
}

Status Database::copy_to(Database& other) {
  sqlite3_backup* const backup =
      sqlite3_backup_init(other.connection_.get(), "main", connection_.get(), "main");
  if (backup == nullptr) return check_sqlite(sqlite3_extended_errcode(other.connection_.get()));
  constexpr int kAllPages = -1;
  const int code = sqlite3_backup_step(backup, kAllPages);
  const int end = sqlite3_backup_finish(backup);
  CHANCERY_TRY(check_sqlite(code, SQLITE_DONE));
  return check_sqlite(end);
}

Result<bool> Database::is_sound() {
  CHANCERY_ASSIGN(Query check, query("PRAGMA integrity_check(1)"));
  CHANCERY_ASSIGN(const bool row, check.step());
  return row && check.text(0) == "ok";
}

Result<bool> Database::is_sound(std::string_view table) {
  CHANCERY_ASSIGN(Query check, query("SELECT * FROM pragma_integrity_check(?)"));
  CHANCERY_ASSIGN(const bool row, check.bind(table).step());
  return row && check.text(0) == "ok";
}

Status Database::check(int code) noexcept {
  *is_damaged_ |= tells_damage(code);
  return check_sqlite(code, SQLITE_OK, errno);
}

std::filesystem::path Database::file() const { return sqlite3_db_filename(connection_.get(), "main"); }

Status Database::execute(const char* sql) noexcept {
  errno = 0;
  return check(sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr));
}

Result<Query> Database::query(const char* sql) {
  auto& statement = statements_[sql];
  if (!statement) {
    sqlite3_stmt* prepared = nullptr;
    errno = 0;
    CHANCERY_TRY(
        check(sqlite3_prepare_v3(connection_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, nullptr)));
    statement.reset(prepared);
  }
  return Query(statement.get(), *is_damaged_);
}

Result<std::int64_t> Database::number(const char* sql) {
  CHANCERY_ASSIGN(Query asked, query(sql));
  CHANCERY_ASSIGN(const bool row, asked.step());
  if (!row) return Error{ErrorCode::kInternal, "a statement of ours gave no row: report this"};
  return asked.number(0);
}

Status Database::check_in_place() noexcept {
  int moved = 0;
  CHANCERY_TRY(check_sqlite(sqlite3_file_control(connection_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved)));
  if (moved != 0)
    return unavailable("the database was deleted or replaced while in use: restart the daemon", 0);
  return {};
}

Result<Transaction> Transaction::begin(Database& database) {
  // A rollback that failed, on a disk that failed, leaves its transaction open.
  if (database.in_transaction()) CHANCERY_TRY(database.execute("ROLLBACK"));
  CHANCERY_TRY(database.check_in_place());
  CHANCERY_TRY(database.execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::~Transaction() {
  // Some errors have rolled back already. A rollback that fails now is tried again by the next begin().
  if (database_ != nullptr && database_->in_transaction()) (void)database_->execute("ROLLBACK");
}

Status Transaction::commit() noexcept {
  CHANCERY_TRY(database_->execute("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace chancery::store
