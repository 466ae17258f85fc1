#include "sdk/cli/state_folder.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace chancery::cli {
namespace {

constexpr const char* kLockFile = "chanceryd.lock";
constexpr const char* kDatabase = "chancery.db";
// Beside the database, and of no use to another.
constexpr std::array kCompanions{"-wal", "-shm"};

std::string date_of(std::chrono::sys_seconds now) {
  const std::time_t seconds = now.time_since_epoch().count();
  std::tm utc{};
  std::array<char, 32> text{};
  ::gmtime_r(&seconds, &utc);
  std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc);
  return text.data();
}

}  // namespace

Failure StateFolder::unwritable(std::string_view name) const {
  return failure({ErrorCode::kFileUnwritable, "cannot be written: be the daemon's user, or root",
                  static_cast<std::uint64_t>(errno)},
                 path_ + "/" + std::string(name));
}

Checked<StateFolder> StateFolder::open(const std::string& path) {
  Descriptor opened(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened) {
    return failure(
        {ErrorCode::kFileUnreadable, "is no folder that can be opened: make it for the daemon's user",
         static_cast<std::uint64_t>(errno)},
        path);
  }
  StateFolder folder(path, std::move(opened));
  CHANCERY_TRY(folder.lock());
  return folder;
}

// As the daemon does, so that one of both is refused.
Checked<void> StateFolder::lock() {
  lock_ = Descriptor(
      ::openat(folder_.get(), kLockFile, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  if (!lock_) return unwritable(kLockFile);
  CHANCERY_TRY(own(lock_));
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) == 0) return {};
  return failure({ErrorCode::kStoreLocked, "is in use by a daemon: stop it first"}, path_);
}

Checked<void> StateFolder::own(const Descriptor& file) const {
  struct stat folder {};
  struct stat mine {};
  const bool known = ::fstat(folder_.get(), &folder) == 0 && ::fstat(file.get(), &mine) == 0;
  if (known && folder.st_uid == mine.st_uid && folder.st_gid == mine.st_gid) return {};
  if (known && ::fchown(file.get(), folder.st_uid, folder.st_gid) == 0) return {};
  // The group of a folder need not be one that its owner may give files to.
  if (known && folder.st_uid == mine.st_uid) return {};
  return unwritable("");
}

Checked<Descriptor> StateFolder::create(std::string_view name) const {
  const std::string text(name);
  ::unlinkat(folder_.get(), text.c_str(), 0);
  Descriptor file(::openat(folder_.get(), text.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                           S_IRUSR | S_IWUSR));
  if (!file) return unwritable(name);
  CHANCERY_TRY(own(file));
  return file;
}

Checked<void> StateFolder::write(std::string_view name, std::string_view text) const {
  CHANCERY_ASSIGN(const Descriptor file, create(name));
  const ssize_t put = ::write(file.get(), text.data(), text.size());
  if (put != static_cast<ssize_t>(text.size()) || ::fsync(file.get()) != 0) return unwritable(name);
  return sync();
}

bool StateFolder::has(std::string_view name) const {
  return ::faccessat(folder_.get(), std::string(name).c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Checked<void> StateFolder::rename(const std::string& from, const std::string& to) const {
  if (::renameat(folder_.get(), from.c_str(), folder_.get(), to.c_str()) != 0) return unwritable(from);
  return {};
}

Checked<void> StateFolder::sync() const {
  if (::fsync(folder_.get()) != 0) return unwritable("");
  return {};
}

// The companions first: beside another database they would be taken for its own. The former database stays under its name
// until the new one takes it, so that at no time there is none, from which a daemon would begin anew.
Checked<std::string> StateFolder::replace_database(std::string_view name,
                                                   std::chrono::sys_seconds now) const {
  const std::string database = kDatabase;
  const std::string aside = database + ".before-" + date_of(now);
  const bool is_first = !has(database);
  if (has(aside)) return failure({ErrorCode::kConflict, "is there already: try again in a second"}, aside);
  for (const std::string companion : kCompanions) {
    if (has(database + companion)) CHANCERY_TRY(rename(database + companion, aside + companion));
  }
  if (!is_first && ::linkat(folder_.get(), database.c_str(), folder_.get(), aside.c_str(), 0) != 0)
    return unwritable(aside);
  CHANCERY_TRY(sync());
  CHANCERY_TRY(rename(std::string(name), database));
  CHANCERY_TRY(sync());
  return is_first ? std::string() : aside;
}

}  // namespace chancery::cli
