#include "daemon/store/backup_shelf.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/store/migrations.hpp"
#include "daemon/store/sqlite.hpp"
#include "daemon/store/sqlite_audit_book.hpp"
#include "sdk/base/descriptor.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/sha256_stream.hpp"

namespace chancery::store {
namespace {

constexpr std::size_t kKept = 2;
constexpr std::string_view kPrefix = "chancery-";
constexpr std::string_view kSuffix = ".db";
constexpr std::string_view kUnfinished = ".part";

constexpr Error kBusy{ErrorCode::kConflict, "a backup is being made: try again when it is done"};
constexpr Error kDamagedCopy{
    ErrorCode::kStoreCorrupt,
    "the copy of the database is damaged, as the database itself may be: restore it from an earlier backup"};

Error disk_error(const char* what) {
  return {ErrorCode::kStoreUnavailable, what, static_cast<std::uint64_t>(errno)};
}

// In the order of their making, whatever their clocks' zone.
Result<std::string> new_name(sys_seconds now) {
  const std::time_t seconds = now.time_since_epoch().count();
  std::tm utc{};
  std::array<char, 32> text{};
  if (::gmtime_r(&seconds, &utc) == nullptr ||
      std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc) == 0)
    return Error{ErrorCode::kInvalidArgument, "the clock is beyond all calendars: set it right"};
  std::array<std::uint8_t, 4> random{};
  CHANCERY_TRY(random_bytes(random));
  return std::string(kPrefix) + text.data() + "-" + hex_encode(random) + std::string(kSuffix);
}

Status make_folder(const std::filesystem::path& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return disk_error(
      "cannot make the folder `backups` in the state folder: make that writable for the daemon");
}

Status sync_folder(const std::filesystem::path& folder) {
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened && ::fsync(opened.get()) == 0) return {};
  return disk_error("cannot sync the folder of backups: check the state folder's disk");
}

/// Names of files in the folder that begin and end so, in their order.
std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder, std::string_view suffix) {
  std::vector<std::filesystem::path> files;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failure)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kPrefix) && name.ends_with(suffix)) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

// What a daemon left behind that was killed.
void remove_unfinished(const std::filesystem::path& folder) {
  for (const auto& file : files_in(folder, kUnfinished)) ::unlink(file.c_str());
}

// Whatever date the others have: the clock may have been set back.
void remove_all_but(const std::filesystem::path& newest, const std::filesystem::path& folder) {
  auto copies = files_in(folder, kSuffix);
  std::erase(copies, newest);
  for (std::size_t i = 0; i + (kKept - 1) < copies.size(); ++i) ::unlink(copies[i].c_str());
}

/// A file that is being made; removed unless it was finished.
class Unfinished {
 public:
  explicit Unfinished(std::filesystem::path path) : path_(std::move(path)) {}
  ~Unfinished() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  Status finish(const std::filesystem::path& as) {
    if (::rename(path_.c_str(), as.c_str()) != 0)
      return disk_error("cannot rename the copy of the database: check the state folder's disk");
    path_.clear();
    return sync_folder(as.parent_path());
  }

 private:
  std::filesystem::path path_;
};

// From the copy itself, so that it is true of it.
Status describe(Database& copy, BackupCopy& out) {
  CHANCERY_ASSIGN(out.schema, schema_version(copy));
  CHANCERY_ASSIGN(const std::int64_t entries, copy.number("SELECT coalesce(max(sequence), 0) FROM audit"));
  out.entries = static_cast<std::uint64_t>(entries);
  CHANCERY_ASSIGN(out.log, read_log_name(copy));
  CHANCERY_ASSIGN(const std::optional<SignedCheckpoint> last, read_last_checkpoint(copy));
  if (last) out.checkpoint = last->note;
  return {};
}

// A connection of its own, and all of it in one step: a reader's view, for which no writer waits. The copy keeps no log
// beside it.
Status copy_database(const std::filesystem::path& from, const std::filesystem::path& to, BackupCopy& out) {
  CHANCERY_ASSIGN(Database copy, Database::open(to));
  {
    CHANCERY_ASSIGN(Database source, Database::open(from));
    CHANCERY_TRY(source.copy_to(copy));
  }
  CHANCERY_TRY(copy.use_rollback_journal());
  CHANCERY_ASSIGN(const bool is_sound, copy.is_sound());
  if (!is_sound) return kDamagedCopy;
  return describe(copy, out);
}

Status measure(const std::filesystem::path& file, BackupCopy& out) {
  constexpr const char* kUnreadable = "cannot read the copy of the database: check the state folder's disk";
  const Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!opened || ::fsync(opened.get()) != 0) return disk_error(kUnreadable);
  Sha256Stream hash;
  std::vector<std::uint8_t> part(1u << 18);
  for (;;) {
    const ssize_t got = ::read(opened.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return disk_error(kUnreadable);
    if (got == 0) break;
    hash.add(ByteView(part).first(static_cast<std::size_t>(got)));
    out.octets += static_cast<std::uint64_t>(got);
  }
  out.sha256 = hex_encode(hash.finish());
  return {};
}

}  // namespace

BackupShelf::BackupShelf(std::filesystem::path database)
    : database_(std::move(database)), folder_(database_.parent_path() / "backups") {}

Result<BackupCopy> BackupShelf::make(sys_seconds now) {
  const std::unique_lock lock(making_, std::try_to_lock);
  if (!lock) return kBusy;
  CHANCERY_TRY(make_folder(folder_));
  remove_unfinished(folder_);
  BackupCopy out;
  out.made_at = now;
  CHANCERY_ASSIGN(out.name, new_name(now));
  out.path = folder_ / out.name;
  Unfinished copy(out.path.string() + std::string(kUnfinished));
  CHANCERY_TRY(copy_database(database_, copy.path(), out));
  CHANCERY_TRY(measure(copy.path(), out));
  CHANCERY_TRY(copy.finish(out.path));
  remove_all_but(out.path, folder_);
  return out;
}

Status BackupShelf::remove(const BackupCopy& copy) {
  if (::unlink(copy.path.c_str()) == 0) return {};
  return disk_error("cannot remove a copy of the database: check the state folder's disk");
}

}  // namespace chancery::store
