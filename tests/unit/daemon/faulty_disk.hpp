#pragma once

#include <memory>

namespace chancery::store::testing {

/// What a disk may do to a database.
enum class DiskFault {
  kNone,
  kFull,       ///< every write: no space
  kSyncFails,  ///< every sync: the data may not be there
  kReadFails,  ///< every read
};

/// Makes SQLite's files of this process lie on a disk that fails on demand, as long as it lives. Only one at
/// a time; databases that are open when it ends must not be used any more.
class FaultyDisk {
 public:
  FaultyDisk();
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  void set(DiskFault fault) noexcept;

 private:
  struct Layer;
  std::unique_ptr<Layer> layer_;
};

}  // namespace chancery::store::testing
