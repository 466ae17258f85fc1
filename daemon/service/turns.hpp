#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace chancery::service {

/// So many at a time, so that a provider that answers nobody keeps few threads busy. Whoever finds all turns taken waits while others come
/// and go: a second at most, and not at all once nobody has for a second. For std::unique_lock with std::try_to_lock. Thread-safe.
class Turns {
 public:
  explicit Turns(std::size_t most) noexcept : most_(most) {}

  /// \return whether it is the caller's turn, which unlock() ends
  [[nodiscard]] bool try_lock();
  void unlock();

 private:
  const std::size_t most_;
  std::mutex mutex_;  // of the rest
  std::condition_variable is_free_;
  std::size_t taken_ = 0;
  std::chrono::steady_clock::time_point moved_at_{};  // when the last one came or went
};

}  // namespace chancery::service
