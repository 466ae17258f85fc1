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
#include <vector>

#include <boost/asio/io_context.hpp>

#include "sdk/base/fair_queue.hpp"

namespace chancery::edge {

/// Work that may wait for a device or a disk, behind a queue of bounded length in which owners take turns: one that asks
/// without end keeps nobody else waiting for long. It is done by the threads that serve connections, so that a request
/// needs no other thread from its first octet to its answer; some of them are always left for the connections.
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

  /// \param io     borrowed; run by more threads than `most`
  /// \param most   how many of them may do such work at once
  /// \param queue  how much may wait beside what runs
  BlockingPool(boost::asio::io_context& io, std::size_t most, std::size_t queue);

  ~BlockingPool() { stop(); }
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  /// Thread-safe, as the next.
  [[nodiscard]] Admission submit(std::shared_ptr<Task> task);

  /// Gives the place of a task back that nobody waits for any more. One that runs, or ran, is no error.
  void remove(const Task& task);

  /// For how long everything that may be done at once has been under way; zero while more could be begun.
  [[nodiscard]] std::chrono::steady_clock::duration all_busy_for() const;

  /// Takes no more work, drops what waits, and returns when what runs is finished, for which `io` must be run still. Again
  /// is harmless.
  void stop();

 private:
  using Begun = std::optional<std::chrono::steady_clock::time_point>;

  void begin_next();
  void run(Begun& place) noexcept;

  boost::asio::io_context& io_;
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  FairQueue<Task> queue_;
  bool stopping_ = false;
  std::vector<Begun> begun_;  // one place for each that may be under way
};

}  // namespace chancery::edge
