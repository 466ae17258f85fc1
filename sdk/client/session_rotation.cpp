#include "sdk/client/session_rotation.hpp"

#include <utility>

namespace chancery::client {
namespace {

// For so long a daemon that opened no session is not asked for one again.
constexpr std::chrono::seconds kPause{10};

}  // namespace

// Of whoever opens one: begins and ends under the mutex, also when something is thrown. Else nobody would ever open one again, and
// whoever comes after the last proof would wait for it.
class SessionRotation::Turn {
 public:
  Turn(SessionRotation& rotation, std::unique_lock<std::mutex>& lock) : rotation_(rotation), lock_(lock) {
    rotation_.opening_ = true;
  }
  ~Turn() {
    if (!lock_.owns_lock()) lock_.lock();
    rotation_.opening_ = false;
    rotation_.opened_.notify_all();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  SessionRotation& rotation_;
  std::unique_lock<std::mutex>& lock_;
};

std::shared_ptr<const Session> SessionRotation::take(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  ++used_;
  // With a daemon that is away each attempt may take as long as a call to it: the first one is waited for, and no other.
  opened_.wait(lock, stop, [this] { return !opening_ || has_failed_ || used_ <= kMost; });
  if (used_ <= kProofs || opening_ || stop.stop_requested() || Clock::now() < retry_at_) return current_;
  const std::shared_ptr<const Session> spent = current_;
  const Turn turn(*this, lock);
  lock.unlock();
  auto next = spent->another(stop);
  lock.lock();
  if (next) {
    current_ = *std::move(next);
    used_ = 1;
    has_failed_ = false;
  } else if (!stop.stop_requested()) {  // else whoever waits may have more patience
    has_failed_ = true;
    retry_at_ = Clock::now() + kPause;
  }
  return current_;
}

}  // namespace chancery::client
