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
  opened_.wait(lock, [this] { return !opening_ || used_ <= kMost; });
  if (used_ <= kProofs || opening_ || Clock::now() < retry_at_) return current_;
  opening_ = true;
  const std::shared_ptr<const Session> spent = current_;
  lock.unlock();
  auto next = spent->another();
  lock.lock();
  opening_ = false;
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
