#include "sdk/client/session_rotation.hpp"

#include <utility>

namespace chancery::client {
namespace {

// For so long a daemon that opened no session is not asked for one again.
constexpr std::chrono::seconds kPause{10};

}  // namespace

std::shared_ptr<const Session> SessionRotation::take() {
  std::unique_lock lock(mutex_);
  ++used_;
  // With a daemon that is away each attempt may take as long as a call to it: the first one is waited for, and no other.
  opened_.wait(lock, [this] { return !opening_ || has_failed_ || used_ <= kMost; });
  if (used_ <= kProofs || opening_ || Clock::now() < retry_at_) return current_;
  opening_ = true;
  const std::shared_ptr<const Session> spent = current_;
  lock.unlock();
  auto next = spent->another();
  lock.lock();
  opening_ = false;
  has_failed_ = !next.has_value();
  opened_.notify_all();
  if (next) {
    current_ = *std::move(next);
    used_ = 1;
  } else {
    retry_at_ = Clock::now() + kPause;
  }
  return current_;
}

}  // namespace chancery::client
