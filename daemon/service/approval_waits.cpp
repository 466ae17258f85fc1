#include "daemon/service/approval_waits.hpp"

namespace chancery::service {

std::optional<ApprovalWaits::Place> ApprovalWaits::enter() {
  const std::lock_guard guard(mutex_);
  if (is_over_ || waiting_ >= most_) return std::nullopt;
  ++waiting_;
  return std::optional<Place>(std::in_place, *this);
}

void ApprovalWaits::leave() {
  const std::lock_guard guard(mutex_);
  --waiting_;
}

std::uint64_t ApprovalWaits::changes() const {
  const std::lock_guard guard(mutex_);
  return changes_;
}

bool ApprovalWaits::wait(std::uint64_t seen, std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, until, [&] { return is_over_ || changes_ != seen; });
  return !is_over_ && changes_ != seen;
}

void ApprovalWaits::tell() {
  {
    const std::lock_guard guard(mutex_);
    ++changes_;
  }
  changed_.notify_all();
}

void ApprovalWaits::send_away() {
  {
    const std::lock_guard guard(mutex_);
    is_over_ = true;
  }
  changed_.notify_all();
}

std::size_t ApprovalWaits::waiting() const {
  const std::lock_guard guard(mutex_);
  return waiting_;
}

}  // namespace chancery::service
