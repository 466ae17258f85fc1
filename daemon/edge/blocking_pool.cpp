#include "daemon/edge/blocking_pool.hpp"

#include <exception>
#include <utility>

namespace chancery::edge {

BlockingPool::BlockingPool(std::size_t threads, std::size_t queue) : queue_(queue) {
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
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

void BlockingPool::run() {
  for (;;) {
    std::shared_ptr<Task> task;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return stopping_ || queue_.size() > 0; });
      if (stopping_) return;
      task = queue_.pop();
    }
    try {
      task->work();
    } catch (const std::exception&) {
      // Memory is exhausted: the request's deadline, which still runs, answers it.
    }
  }
}

}  // namespace chancery::edge
