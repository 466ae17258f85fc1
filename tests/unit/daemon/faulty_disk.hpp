#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

namespace chancery::store::testing {

/// What a disk may do to a database.
enum class DiskFault {
  kNone,
  kFull,       ///< every write: no space
  kQuota,      ///< every write: this user has no more space
  kReadOnly,   ///< every write: the kernel lets nobody write to it any more
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

  /// Has a sync fail that is still to come, and none after it: as with Linux, what it was to keep may be lost, and later
  /// ones say nothing of that.
  /// \param ahead  0: the next one
  void lose_sync(int ahead) noexcept;
  static constexpr int kNever = -1;

  /// What is on the disk after a power cut: what was synced, and of the rest as chance has it. Copies the files of a
  /// folder that were opened since the beginning into an empty one.
  void cut_power(std::uint64_t seed, const std::filesystem::path& folder,
                 const std::filesystem::path& into) const;

 private:
  struct Layer;
  std::unique_ptr<Layer> layer_;
};

}  // namespace chancery::store::testing
