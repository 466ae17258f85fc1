#include "sdk/client/session_rotation.hpp"

#include <utility>

namespace chancery::client {
namespace {

// For so long a daemon that opened no session is not asked for one again.
constexpr std::chrono::seconds kPause{10};

}  // namespace

std::shared_ptr<const Session> SessionRotation::take(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  ++used_;
  // With a daemon that is away each attempt may take as long as a call to it: the first one is waited for, and no other.
  opened_.wait(lock, stop, [this] { return !opening_ || has_failed_ || used_ <= kMost; });
  if (used_ <= kProofs || opening_ || stop.stop_requested() || Clock::now() < retry_at_) return current_;
  opening_ = true;
  const std::shared_ptr<const Session> spent = current_;
  lock.unlock();
  auto next = spent->another(stop);
  lock.lock();
  opening_ = false;
  if (next) {
    current_ = *std::move(next);
    used_ = 1;
    has_failed_ = false;
  } else if (!stop.stop_requested()) {  // else whoever waits may have more patience
    has_failed_ = true;
    retry_at_ = Clock::now() + kPause;
  }
  opened_.notify_all();
  return current_;
}

}  // namespace chancery::client
