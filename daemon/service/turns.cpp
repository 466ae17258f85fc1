#include "daemon/service/turns.hpp"

namespace chancery::service {
namespace {

constexpr std::chrono::seconds kPatience{1};

}  // namespace

bool Turns::try_lock() {
  std::unique_lock lock(mutex_);
  if (!is_free_.wait_until(lock, moved_at_ + kPatience, [&] { return taken_ < most_; })) return false;
  ++taken_;
  moved_at_ = std::chrono::steady_clock::now();
  return true;
}

void Turns::unlock() {
  {
    const std::lock_guard lock(mutex_);
    --taken_;
    moved_at_ = std::chrono::steady_clock::now();
  }
  is_free_.notify_one();
}

}  // namespace chancery::service
