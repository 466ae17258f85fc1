#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace chancery {

/// A value that is exchanged as a whole while others read it. Who reads holds what was current then for as long as they
/// like, and it does not change under them: take it once for what must agree. Thread-safe.
template <typename T>
class Published {
 public:
  using Held = std::shared_ptr<const T>;

  explicit Published(T value) : slot_(std::make_unique<Slot>()) { publish(std::move(value)); }

  [[nodiscard]] Held current() const {
    const std::lock_guard lock(slot_->mutex);
    return slot_->value;
  }

  /// For one look at one member. A reference to it does not outlive the expression.
  [[nodiscard]] Held operator->() const { return current(); }

  void publish(T value) {
    Held next = std::make_shared<const T>(std::move(value));
    const std::lock_guard lock(slot_->mutex);
    slot_->value.swap(next);  // the former one ends without the lock
  }

 private:
  struct Slot {
    std::mutex mutex;
    Held value;
  };
  std::unique_ptr<Slot> slot_;  // so that its owner can be moved
};

}  // namespace chancery
