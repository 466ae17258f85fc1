#pragma once

#include <atomic>
#include <filesystem>
#include <thread>

#include "sdk/base/descriptor.hpp"

namespace chancery::tests {

/// What the kernel says of a file system under a program that runs.
enum class FolderFault {
  kNone,
  kReadOnly,   ///< EROFS to everything that changes something, as when ext4 has found an error
  kSyncFails,  ///< EIO to each sync of a file
};

/// A folder that the kernel serves through FUSE from another one, and that fails on demand: a file system with files open
/// for writing cannot be mounted read-only by hand. Needs have_own_mounts(). Whoever uses it must have ended before it.
class FailingFolder {
 public:
  /// \param folder   where it is seen; made
  /// \param backing  where its files are; made
  FailingFolder(const std::filesystem::path& folder, const std::filesystem::path& backing);
  ~FailingFolder();
  FailingFolder(const FailingFolder&) = delete;
  FailingFolder& operator=(const FailingFolder&) = delete;

  void set(FolderFault fault) noexcept { fault_ = fault; }

 private:
  void serve(const std::filesystem::path& backing);

  std::filesystem::path folder_;
  std::atomic<FolderFault> fault_{FolderFault::kNone};
  Descriptor device_;
  Descriptor stop_;
  std::thread server_;
};

}  // namespace chancery::tests
