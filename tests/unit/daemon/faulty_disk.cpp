#include "tests/unit/daemon/faulty_disk.hpp"

#include <atomic>
#include <new>

#include <sqlite3.h>

namespace chancery::store::testing {
namespace {

std::atomic<DiskFault> current_fault{DiskFault::kNone};
sqlite3_vfs* real_disk = nullptr;

// SQLite allocates szOsFile octets for a file: ours in front, the real one behind it.
struct FaultyFile : sqlite3_file {
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* real_of(sqlite3_file* file) { return static_cast<FaultyFile*>(file)->real(); }

int faulty_read(sqlite3_file* file, void* data, int size, sqlite3_int64 offset) {
  if (current_fault == DiskFault::kReadFails) return SQLITE_IOERR_READ;
  return real_of(file)->pMethods->xRead(real_of(file), data, size, offset);
}
int faulty_write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  if (current_fault == DiskFault::kFull) return SQLITE_FULL;
  return real_of(file)->pMethods->xWrite(real_of(file), data, size, offset);
}
int faulty_sync(sqlite3_file* file, int flags) {
  if (current_fault == DiskFault::kSyncFails) return SQLITE_IOERR_FSYNC;
  return real_of(file)->pMethods->xSync(real_of(file), flags);
}

// Everything else is passed on. Version 2 has shared memory, which WAL needs, and no memory mapping.
constexpr sqlite3_io_methods kMethods{
    .iVersion = 2,
    .xClose = [](sqlite3_file* f) { return real_of(f)->pMethods->xClose(real_of(f)); },
    .xRead = faulty_read,
    .xWrite = faulty_write,
    .xTruncate = [](sqlite3_file* f,
                    sqlite3_int64 n) { return real_of(f)->pMethods->xTruncate(real_of(f), n); },
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

int faulty_open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* faulty = new (file) FaultyFile{};
  const int code = real_disk->xOpen(real_disk, name, faulty->real(), flags, out_flags);
  if (faulty->real()->pMethods != nullptr) faulty->pMethods = &kMethods;
  return code;
}

}  // namespace

// A copy of the real disk's table: only opening differs.
struct FaultyDisk::Layer : sqlite3_vfs {};

FaultyDisk::FaultyDisk() : layer_(std::make_unique<Layer>()) {
  real_disk = sqlite3_vfs_find(nullptr);
  static_cast<sqlite3_vfs&>(*layer_) = *real_disk;
  layer_->zName = "faulty";
  layer_->szOsFile += static_cast<int>(sizeof(FaultyFile));
  layer_->xOpen = faulty_open;
  layer_->pNext = nullptr;
  sqlite3_vfs_register(layer_.get(), 1);
}

FaultyDisk::~FaultyDisk() {
  current_fault = DiskFault::kNone;
  sqlite3_vfs_unregister(layer_.get());
  sqlite3_vfs_register(real_disk, 1);
}

void FaultyDisk::set(DiskFault fault) noexcept { current_fault = fault; }

}  // namespace chancery::store::testing
