#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace chancery::telemetry {

/// How long something took, each time: counts by length, and the sum. Thread-safe, without a lock.
class Histogram {
 public:
  /// Upper bounds in seconds, from a software TPM's half millisecond to what is given up. One more is without bound.
  static constexpr std::array kBounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                      0.1,    0.25,  0.5,    1.0,   2.5,  5.0,   10.0};

  /// A look at it; while it is used, counts and sum may be one apart.
  struct Reading {
    std::array<std::uint64_t, kBounds.size() + 1> counts{};  ///< of each bucket alone
    double sum = 0;                                          ///< seconds
  };

  void add(std::chrono::nanoseconds took) noexcept {
    const double seconds = std::chrono::duration<double>(took).count();
    const auto bucket = std::ranges::lower_bound(kBounds, seconds) - kBounds.begin();
    counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    nanoseconds_.fetch_add(static_cast<std::uint64_t>(took.count()), std::memory_order_relaxed);
  }

  [[nodiscard]] Reading read() const noexcept {
    Reading reading;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      reading.counts[i] = counts_[i].load(std::memory_order_relaxed);
    }
    reading.sum = static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) / 1e9;
    return reading;
  }

 private:
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> counts_{};
  std::atomic<std::uint64_t> nanoseconds_ = 0;
};

}  // namespace chancery::telemetry
