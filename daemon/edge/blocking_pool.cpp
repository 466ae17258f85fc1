#include "daemon/edge/blocking_pool.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace chancery::edge {

BlockingPool::BlockingPool(std::size_t threads, std::size_t queue) : queue_(queue), begun_(threads) {
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this, i] { run(i); });
}

void BlockingPool::stop() {
  std::vector<std::shared_ptr<Task>> dropped;  // destroyed without the lock: what it holds may submit
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped = queue_.drain();
  }
  ready_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

BlockingPool::Admission BlockingPool::submit(std::shared_ptr<Task> task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.full()) return Admission::kFull;
    if (!queue_.push(std::move(task))) return Admission::kOwnerFull;
  }
  ready_.notify_one();
  return Admission::kTaken;
}

void BlockingPool::remove(const Task& task) {
  const std::lock_guard lock(mutex_);
  queue_.remove(task);
}

std::chrono::steady_clock::duration BlockingPool::all_busy_for() const {
  const std::lock_guard lock(mutex_);
  if (!std::ranges::all_of(begun_, [](const auto& begun) { return begun.has_value(); })) return {};
  return std::chrono::steady_clock::now() - **std::ranges::max_element(begun_);
}

void BlockingPool::run(std::size_t thread) {
  for (;;) {
    std::shared_ptr<Task> task;
    {
      std::unique_lock lock(mutex_);
      begun_[thread].reset();
      ready_.wait(lock, [this] { return stopping_ || queue_.size() > 0; });
      if (stopping_) return;
      task = queue_.pop();
      begun_[thread] = std::chrono::steady_clock::now();
    }
    try {
      task->work();
    } catch (const std::exception&) {
      // Memory is exhausted: the request's deadline, which still runs, answers it.
    }
  }
}

}  // namespace chancery::edge
