#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace chancery::edge {

/// Threads for work that may wait for a device or a disk, behind a queue of bounded length, first come first
/// served.
class BlockingPool {
 public:
  using Work = std::function<void()>;

  /// \param queue  how much may wait beside what runs
  BlockingPool(std::size_t threads, std::size_t queue);

  ~BlockingPool() { stop(); }
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  /// Thread-safe.
  /// \return whether there was room
  [[nodiscard]] bool submit(Work&& work);

  /// Takes no more work, drops what waits, and returns when what runs is finished. Not thread-safe; again is
  /// harmless.
  void stop();

 private:
  void run();

  std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Work> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace chancery::edge
