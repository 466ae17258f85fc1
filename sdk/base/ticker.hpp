#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

namespace chancery {

/// Calls something again and again on a thread of its own: at once, and then after each pause. Its end waits
/// for a call that is under way.
class Ticker {
 public:
  Ticker(std::chrono::milliseconds pause, std::function<void(const std::stop_token&)> work)
      : thread_([this, pause, work = std::move(work)](const std::stop_token& stop) {
          std::unique_lock lock(mutex_);
          while (!stop.stop_requested()) {
            work(stop);
            stopped_.wait_for(lock, stop, pause, [] { return false; });
          }
        }) {}

  /// Lets a call that is under way know of the end that is to come; waits for nothing.
  void request_stop() noexcept { thread_.request_stop(); }

 private:
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;  // ends before the above do
};

}  // namespace chancery
