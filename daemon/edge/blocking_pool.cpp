#include "daemon/edge/blocking_pool.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/defer.hpp>

namespace chancery::edge {
namespace {

constexpr auto is_free = [](const auto& begun) { return !begun.has_value(); };

}  // namespace

BlockingPool::BlockingPool(boost::asio::io_context& io, std::size_t most, std::size_t queue)
    : io_(io), queue_(queue), begun_(most) {}

void BlockingPool::stop() {
  std::vector<std::shared_ptr<Task>> dropped;  // destroyed without the lock: what it holds may submit
  std::unique_lock lock(mutex_);
  stopping_ = true;
  dropped = queue_.drain();
  ended_.wait(lock, [this] { return std::ranges::all_of(begun_, is_free); });
}

BlockingPool::Admission BlockingPool::submit(std::shared_ptr<Task> task) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || queue_.full()) return Admission::kFull;
  if (!queue_.push(std::move(task))) return Admission::kOwnerFull;
  begin_next();
  return Admission::kTaken;
}

void BlockingPool::remove(const Task& task) {
  const std::lock_guard lock(mutex_);
  queue_.remove(task);
}

std::chrono::steady_clock::duration BlockingPool::all_busy_for() const {
  const std::lock_guard lock(mutex_);
  if (std::ranges::any_of(begun_, is_free)) return {};
  return std::chrono::steady_clock::now() - **std::ranges::max_element(begun_);
}

// Under the lock. Which task it is, is decided when a thread comes to it: by then it may have been removed.
void BlockingPool::begin_next() {
  const auto place = std::ranges::find_if(begun_, is_free);
  if (queue_.size() == 0 || place == begun_.end()) return;
  // Behind what this thread has to do next: another is woken up only when there is more than that.
  boost::asio::defer(io_, [this, &place = *place] { run(place); });
  *place = std::chrono::steady_clock::now();
}

// The next is begun by another turn at the threads, so that connections have theirs in between.
void BlockingPool::run(Begun& place) noexcept {
  std::shared_ptr<Task> task;
  try {
    {
      const std::lock_guard lock(mutex_);
      task = queue_.pop();
    }
    if (task) task->work();
  } catch (const std::exception&) {
    // Memory is exhausted: the request's deadline, which still runs, answers it.
  }
  task.reset();
  const std::lock_guard lock(mutex_);
  place.reset();
  try {
    begin_next();
  } catch (const std::exception&) {
    // Memory is exhausted: what waits is begun with the next that is submitted, or answered by its deadline.
  }
  ended_.notify_all();
}

}  // namespace chancery::edge
