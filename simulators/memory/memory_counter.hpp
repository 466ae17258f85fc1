#pragma once

#include <mutex>
#include <optional>

#include "hsm/counter.hpp"

namespace chancery::simulators {

/// A counter in this process's memory, failing on demand. Thread-safe.
class MemoryCounter final : public hsm::MonotonicCounter {
 public:
  Result<std::uint64_t> read(hsm::Deadline) override {
    const std::lock_guard lock(mutex_);
    return failure_ ? Result<std::uint64_t>(*failure_) : present();
  }
  Result<std::uint64_t> advance(hsm::Deadline) override {
    const std::lock_guard lock(mutex_);
    if (failure_) return *failure_;
    if (value_) ++*value_;
    return value_ ? answer() : present();
  }
  Result<std::uint64_t> create(hsm::Deadline) override {
    const std::lock_guard lock(mutex_);
    if (failure_) return *failure_;
    highest_ = value_.value_or(highest_) + 1;
    value_ = highest_;
    return answer();
  }

  /// From now on every call fails with this error; nullopt: the device is well again.
  void fail_with(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    failure_ = error;
  }
  /// The next so many advances and creations come about, and are not answered.
  void lose_answers(int count) {
    const std::lock_guard lock(mutex_);
    answers_to_lose_ = count;
  }
  /// As TPM2_Clear does.
  void remove() {
    const std::lock_guard lock(mutex_);
    highest_ = value_.value_or(highest_);
    value_.reset();
  }

 private:
  [[nodiscard]] Result<std::uint64_t> present() const {
    if (value_) return *value_;
    return Error{ErrorCode::kNotFound, "the device has no counter"};
  }

  [[nodiscard]] Result<std::uint64_t> answer() {
    if (answers_to_lose_ == 0) return *value_;
    --answers_to_lose_;
    return Error{ErrorCode::kDeviceTimeout, "the answer is lost"};
  }

  std::mutex mutex_;
  std::optional<std::uint64_t> value_;
  std::uint64_t highest_ = 0;
  int answers_to_lose_ = 0;
  std::optional<Error> failure_;
};

}  // namespace chancery::simulators
