#pragma once

#include <algorithm>
#include <chrono>
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
    if (!leave(std::move(value))) return false;
    wake();
    return true;
  }

  /// The same, without waking the caller: who leaves several values wakes their callers afterwards. A caller
  /// that is forgotten finds its value by itself, later by as much as it has waited.
  [[nodiscard]] bool leave(T value) {
    const std::lock_guard lock(mutex_);
    if (has_left_) return false;
    value_.emplace(std::move(value));
    return true;
  }

  void wake() noexcept { ready_.notify_one(); }

  /// \return the value, or nothing at the deadline: put() is false from then on
  [[nodiscard]] std::optional<T> wait_until(Deadline deadline) {
    std::unique_lock lock(mutex_);
    for (auto pause = kFirstLook; !value_ && std::chrono::steady_clock::now() < deadline; pause *= 2) {
      const auto until = std::min<Deadline>(std::chrono::steady_clock::now() + pause, deadline);
      ready_.wait_until(lock, until, [this] { return value_.has_value(); });
    }
    if (value_) return std::move(value_);
    has_left_ = true;
    return std::nullopt;
  }

 private:
  static constexpr std::chrono::milliseconds kFirstLook{4};

  std::mutex mutex_;
  std::condition_variable ready_;
  std::optional<T> value_;
  bool has_left_ = false;
};

}  // namespace chancery::hsm
