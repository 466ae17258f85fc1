#include "sdk/cli/backup_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "sdk/base/hex.hpp"
#include "sdk/crypto/sha256_stream.hpp"
#include "sdk/wire/backup_messages.hpp"

namespace chancery::cli {
namespace {

constexpr std::string_view kMagic = "chancery-backup 1\n";
constexpr std::size_t kLongestManifest = 16 * 1024;

constexpr Error kNoBackup{ErrorCode::kMalformed, "is no backup of this form: `chancery backup` writes them"};
constexpr Error kOtherContents{
    ErrorCode::kStoreCorrupt,
    "is damaged: the database in it is not the one that its manifest describes. Take another backup"};
constexpr Error kTooNew{ErrorCode::kStoreUnavailable,
                        "was made by a newer version: restore it with the programs of that version"};

Failure file_failure(ErrorCode code, const char* what, const std::string& path) {
  return failure({code, what, static_cast<std::uint64_t>(errno)}, path);
}

Failure unreadable(const std::string& path) {
  return file_failure(ErrorCode::kFileUnreadable, "cannot be read", path);
}

Failure unwritable(const std::string& path) {
  return file_failure(ErrorCode::kFileUnwritable, "cannot be written: check the disk", path);
}

bool write_all(int number, ByteView octets) {
  while (!octets.empty()) {
    const ssize_t put = ::write(number, octets.data(), octets.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    octets = octets.subspan(static_cast<std::size_t>(put));
  }
  return true;
}

ssize_t read_some(int number, std::span<std::uint8_t> out) {
  ssize_t got = 0;
  do {
    got = ::read(number, out.data(), out.size());
  } while (got < 0 && errno == EINTR);
  return got;
}

// An octet at a time: what follows the line is the database's, and is read from there on.
Checked<std::string> read_line(int number, std::size_t limit, const std::string& path) {
  std::string line;
  for (std::uint8_t octet = 0; line.size() <= limit;) {
    const ssize_t got = read_some(number, {&octet, 1});
    if (got < 0) return unreadable(path);
    if (got == 0) break;
    line.push_back(static_cast<char>(octet));
    if (octet == '\n') return line;
  }
  return failure(kNoBackup, path);
}

/// What SQLite's header says of a database, whatever the manifest does (https://sqlite.org/fileformat.html, 1.3).
class Header {
 public:
  void take(ByteView octets) {
    const std::size_t size = std::min(octets.size(), octets_.size() - filled_);
    std::copy_n(octets.begin(), size, octets_.begin() + static_cast<std::ptrdiff_t>(filled_));
    filled_ += size;
  }
  [[nodiscard]] bool is_of(const api::Backup& manifest) const {
    constexpr std::string_view kSqlite = "SQLite format 3";
    constexpr std::uint32_t kOurs = 0x43686379;  // "Chcy"
    return filled_ == octets_.size() && std::memcmp(octets_.data(), kSqlite.data(), kSqlite.size()) == 0 &&
           number(68) == kOurs && number(60) == manifest.schema;
  }

 private:
  [[nodiscard]] std::uint32_t number(std::size_t at) const {
    return std::uint32_t{octets_[at]} << 24 | std::uint32_t{octets_[at + 1]} << 16 |
           std::uint32_t{octets_[at + 2]} << 8 | octets_[at + 3];
  }

  std::array<std::uint8_t, 100> octets_{};
  std::size_t filled_ = 0;
};

/// A file that is removed again unless it was finished.
class NewFile {
 public:
  explicit NewFile(std::string path)
      : path_(std::move(path)),
        file_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)) {}
  ~NewFile() {
    if (file_ && !is_finished_) ::unlink(path_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  explicit operator bool() const noexcept { return static_cast<bool>(file_); }
  [[nodiscard]] int get() const noexcept { return file_.get(); }
  void finish() noexcept { is_finished_ = true; }

 private:
  std::string path_;
  Descriptor file_;
  bool is_finished_ = false;
};

}  // namespace

Checked<BackupFile> open_backup(const std::string& path) {
  BackupFile file{path, {}, Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC))};
  if (!file.rest) return unreadable(path);
  CHANCERY_ASSIGN(const std::string magic, read_line(file.rest.get(), kMagic.size(), path));
  if (magic != kMagic) return failure(kNoBackup, path);
  CHANCERY_ASSIGN(const std::string line, read_line(file.rest.get(), kLongestManifest, path));
  auto manifest = wire::read_backup(std::string_view(line).substr(0, line.size() - 1));
  if (!manifest) return failure(manifest.error(), path);
  if (manifest->schema > api::kNewestSchema) return failure(kTooNew, path);
  file.manifest = *std::move(manifest);
  return file;
}

Checked<void> copy_database(const BackupFile& from, int to) {
  Header header;
  Sha256Stream hash;
  std::int64_t octets = 0;
  std::vector<std::uint8_t> part(1u << 18);
  for (;;) {
    const ssize_t got = read_some(from.rest.get(), part);
    if (got < 0) return unreadable(from.path);
    if (got == 0) break;
    const ByteView taken = ByteView(part).first(static_cast<std::size_t>(got));
    header.take(taken);
    hash.add(taken);
    octets += got;
    if (to >= 0 && !write_all(to, taken)) return unwritable("the copy");
  }
  const bool is_it = octets == from.manifest.octets && hex_encode(hash.finish()) == from.manifest.sha256 &&
                     header.is_of(from.manifest);
  if (!is_it) return failure(kOtherContents, from.path);
  if (to >= 0 && ::fsync(to) != 0) return unwritable("the copy");
  return {};
}

Checked<void> write_backup(const std::string& path, const api::Backup& manifest, Descriptor database) {
  NewFile file(path);
  if (!file && errno == EEXIST)
    return failure({ErrorCode::kConflict, "is there already: name a new file"}, path);
  if (!file) return unwritable(path);
  api::Backup told = manifest;
  told.path.clear();
  const std::string head = std::string(kMagic) + wire::write(told) + "\n";
  if (!write_all(file.get(), as_bytes(head))) return unwritable(path);
  CHANCERY_TRY(copy_database({manifest.path, told, std::move(database)}, file.get()));
  file.finish();
  return {};
}

}  // namespace chancery::cli
