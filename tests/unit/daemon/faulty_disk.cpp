#include "tests/unit/daemon/faulty_disk.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <sqlite3.h>

namespace chancery::store::testing {
namespace {

std::atomic<DiskFault> current_fault{DiskFault::kNone};
std::atomic<int> syncs_until_loss{-1};
sqlite3_vfs* real_disk = nullptr;

// What a file has on the platter, and where it was written to since: that is in the kernel's memory.
struct Image {
  std::string octets;
  std::vector<std::pair<std::size_t, std::string>> unsynced;
  bool is_there = false;

  void take(std::size_t offset, const std::string& written) {
    octets.resize(std::max(octets.size(), offset + written.size()));
    octets.replace(offset, written.size(), written);
  }
  void sync() {
    for (const auto& [offset, written] : unsynced) take(offset, written);
    unsynced.clear();
  }
  /// \param loses  asked of each write
  template <typename Loses>
  void lose_some(Loses loses) {
    std::erase_if(unsynced, [&](const auto&) { return loses(); });
    sync();
  }
};

std::mutex images_mutex;
std::map<std::string, Image> images;  // by the files' names
bool every_second() {
  static bool is_second = false;
  return std::exchange(is_second, !is_second);
}

// SQLite allocates szOsFile octets for a file: ours in front, the real one behind it.
struct FaultyFile : sqlite3_file {
  Image* image;  // null: of a file without a name
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

Image* image_of(sqlite3_file* file) { return static_cast<FaultyFile*>(file)->image; }

sqlite3_file* real_of(sqlite3_file* file) { return static_cast<FaultyFile*>(file)->real(); }

int faulty_read(sqlite3_file* file, void* data, int size, sqlite3_int64 offset) {
  if (current_fault == DiskFault::kReadFails) return SQLITE_IOERR_READ;
  return real_of(file)->pMethods->xRead(real_of(file), data, size, offset);
}
int faulty_write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  const DiskFault fault = current_fault;
  if (fault == DiskFault::kFull) return SQLITE_FULL;
  if (fault == DiskFault::kQuota || fault == DiskFault::kReadOnly) {
    errno = fault == DiskFault::kQuota ? EDQUOT : EROFS;
    return SQLITE_IOERR_WRITE;
  }
  const int code = real_of(file)->pMethods->xWrite(real_of(file), data, size, offset);
  const std::lock_guard guard(images_mutex);
  if (Image* const image = image_of(file); image != nullptr && code == SQLITE_OK) {
    image->unsynced.emplace_back(static_cast<std::size_t>(offset),
                                 std::string(static_cast<const char*>(data), static_cast<std::size_t>(size)));
  }
  return code;
}
int faulty_truncate(sqlite3_file* file, sqlite3_int64 size) {
  const int code = real_of(file)->pMethods->xTruncate(real_of(file), size);
  const std::lock_guard guard(images_mutex);
  if (Image* const image = image_of(file); image != nullptr && code == SQLITE_OK) {
    image->sync();
    image->octets.resize(static_cast<std::size_t>(size));
  }
  return code;
}
int faulty_sync(sqlite3_file* file, int flags) {
  if (current_fault == DiskFault::kSyncFails) return SQLITE_IOERR_FSYNC;
  const bool lost = syncs_until_loss >= 0 && syncs_until_loss-- == 0;
  const int code = lost ? SQLITE_IOERR_FSYNC : real_of(file)->pMethods->xSync(real_of(file), flags);
  const std::lock_guard guard(images_mutex);
  if (Image* const image = image_of(file); image != nullptr) {
    if (lost) image->lose_some(every_second);
    if (code == SQLITE_OK) image->sync();
  }
  return code;
}

// Everything else is passed on. Version 2 has shared memory, which WAL needs, and no memory mapping.
constexpr sqlite3_io_methods kMethods{
    .iVersion = 2,
    .xClose = [](sqlite3_file* f) { return real_of(f)->pMethods->xClose(real_of(f)); },
    .xRead = faulty_read,
    .xWrite = faulty_write,
    .xTruncate = faulty_truncate,
    .xSync = faulty_sync,
    .xFileSize = [](sqlite3_file* f,
                    sqlite3_int64* n) { return real_of(f)->pMethods->xFileSize(real_of(f), n); },
    .xLock = [](sqlite3_file* f, int level) { return real_of(f)->pMethods->xLock(real_of(f), level); },
    .xUnlock = [](sqlite3_file* f, int level) { return real_of(f)->pMethods->xUnlock(real_of(f), level); },
    .xCheckReservedLock = [](sqlite3_file* f,
                             int* out) { return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out); },
    .xFileControl = [](sqlite3_file* f, int op,
                       void* arg) { return real_of(f)->pMethods->xFileControl(real_of(f), op, arg); },
    .xSectorSize = [](sqlite3_file* f) { return real_of(f)->pMethods->xSectorSize(real_of(f)); },
    .xDeviceCharacteristics =
        [](sqlite3_file* f) { return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f)); },
    .xShmMap =
        [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
          return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
        },
    .xShmLock = [](sqlite3_file* f, int offset, int n,
                   int flags) { return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, flags); },
    .xShmBarrier = [](sqlite3_file* f) { real_of(f)->pMethods->xShmBarrier(real_of(f)); },
    .xShmUnmap = [](sqlite3_file* f,
                    int remove) { return real_of(f)->pMethods->xShmUnmap(real_of(f), remove); },
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

std::string content_of(const char* name) {
  std::ifstream in(name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

int faulty_open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* faulty = new (file) FaultyFile{};
  if (name != nullptr) {
    const std::lock_guard guard(images_mutex);
    Image& image = images[name];
    if (!std::exchange(image.is_there, true)) image = {content_of(name), {}, true};
    faulty->image = &image;
  }
  const int code = real_disk->xOpen(real_disk, name, faulty->real(), flags, out_flags);
  if (faulty->real()->pMethods != nullptr) faulty->pMethods = &kMethods;
  return code;
}

int faulty_delete(sqlite3_vfs*, const char* name, int sync_folder) {
  const std::lock_guard guard(images_mutex);
  images[name].is_there = false;
  return real_disk->xDelete(real_disk, name, sync_folder);
}

}  // namespace

// A copy of the real disk's table: only opening and deleting differ.
struct FaultyDisk::Layer : sqlite3_vfs {};

FaultyDisk::FaultyDisk() : layer_(std::make_unique<Layer>()) {
  real_disk = sqlite3_vfs_find(nullptr);
  static_cast<sqlite3_vfs&>(*layer_) = *real_disk;
  layer_->zName = "faulty";
  layer_->szOsFile += static_cast<int>(sizeof(FaultyFile));
  layer_->xOpen = faulty_open;
  layer_->xDelete = faulty_delete;
  layer_->pNext = nullptr;
  sqlite3_vfs_register(layer_.get(), 1);
}

FaultyDisk::~FaultyDisk() {
  current_fault = DiskFault::kNone;
  syncs_until_loss = -1;
  const std::lock_guard guard(images_mutex);
  images.clear();
  sqlite3_vfs_unregister(layer_.get());
  sqlite3_vfs_register(real_disk, 1);
}

void FaultyDisk::set(DiskFault fault) noexcept { current_fault = fault; }

void FaultyDisk::lose_sync(int ahead) noexcept { syncs_until_loss = ahead; }

void FaultyDisk::cut_power(std::uint64_t seed, const std::filesystem::path& folder,
                           const std::filesystem::path& into) const {
  std::mt19937_64 chance(seed);
  const std::lock_guard guard(images_mutex);
  for (const auto& [name, image] : images) {
    const std::filesystem::path file = name;
    if (!image.is_there || file.parent_path() != folder) continue;
    Image left = image;
    left.lose_some([&] { return chance() % 2 == 0; });
    std::ofstream(into / file.filename(), std::ios::binary) << left.octets;
  }
}

}  // namespace chancery::store::testing
