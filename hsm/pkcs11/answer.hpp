#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "hsm/key_backend.hpp"

namespace chancery::hsm {

/// Where one caller waits for one value until its deadline. The caller is woken once and needs no lock that
/// others hold. Shared by both sides, since either may leave first.
template <typename T>
class Answer {
 public:
  /// \return false when the caller has left, and nobody will read it
  [[nodiscard]] bool put(T value) {
    {
      const std::lock_guard lock(mutex_);
      if (has_left_) return false;
      value_.emplace(std::move(value));
    }
    ready_.notify_one();
    return true;
  }

  /// \return the value, or nothing at the deadline: put() is false from then on
  [[nodiscard]] std::optional<T> wait_until(Deadline deadline) {
    std::unique_lock lock(mutex_);
    if (ready_.wait_until(lock, deadline, [this] { return value_.has_value(); })) return std::move(value_);
    has_left_ = true;
    return std::nullopt;
  }

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::optional<T> value_;
  bool has_left_ = false;
};

}  // namespace chancery::hsm
