#pragma once

#include <filesystem>
#include <utility>

#include <chancery/result.hpp>

namespace chancery::store {

/// Holds a state folder for one daemon: an advisory lock on `chanceryd.lock` in it, which the kernel drops
/// when the process ends, however it ends. The file stays; it names the holder's process id.
class StateLock {
 public:
  /// \return the lock; kStoreLocked when another process holds it (`native` is its process id, 0 when it
  ///         cannot be read), kStoreUnavailable when the file cannot be used (`native` is the errno)
  static Result<StateLock> acquire(const std::filesystem::path& state_folder);

  ~StateLock();
  StateLock(StateLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  StateLock& operator=(StateLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }

 private:
  explicit StateLock(int descriptor) noexcept : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace chancery::store
