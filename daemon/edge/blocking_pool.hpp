#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "sdk/base/fair_queue.hpp"

namespace chancery::edge {

/// Threads for work that may wait for a device or a disk, behind a queue of bounded length in which owners
/// take turns: one that asks without end keeps nobody else waiting for long.
class BlockingPool {
 public:
  struct Task {
    std::string owner;  ///< whose turn it takes
    std::function<void()> work;
  };

  enum class Admission : std::uint8_t {
    kTaken,
    kOwnerFull,  ///< half of the queue is this owner's already
    kFull,
  };

  /// \param queue  how much may wait beside what runs
  BlockingPool(std::size_t threads, std::size_t queue);

  ~BlockingPool() { stop(); }
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  /// Thread-safe, as the next.
  [[nodiscard]] Admission submit(std::shared_ptr<Task> task);

  /// Gives the place of a task back that nobody waits for any more. One that runs, or ran, is no error.
  void remove(const Task& task);

  /// For how long every thread has been at what it does; zero while one has nothing to do.
  [[nodiscard]] std::chrono::steady_clock::duration all_busy_for() const;

  /// Takes no more work, drops what waits, and returns when what runs is finished. Not thread-safe; again is
  /// harmless.
  void stop();

 private:
  void run(std::size_t thread);

  mutable std::mutex mutex_;
  std::condition_variable ready_;
  FairQueue<Task> queue_;
  bool stopping_ = false;
  std::vector<std::optional<std::chrono::steady_clock::time_point>> begun_;  // by thread: what it is at
  std::vector<std::thread> threads_;
};

}  // namespace chancery::edge
