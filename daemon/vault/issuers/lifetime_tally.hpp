#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace chancery::vault {

/// How many lifetimes were how long, and their sum. Thread-safe, without a lock.
class LifetimeHistogram {
 public:
  /// Upper bounds in seconds, from one call to a day. One more is without bound.
  static constexpr std::array<std::int64_t, 9> kBounds{1, 5, 15, 60, 300, 900, 3600, 14400, 86400};

  /// A look at it; while it is used, counts and sum may be one apart.
  struct Reading {
    std::array<std::uint64_t, kBounds.size() + 1> counts{};  ///< of each bucket alone
    std::uint64_t sum = 0;                                   ///< seconds
  };

  void add(std::chrono::seconds lifetime) noexcept {
    const std::int64_t seconds = std::max<std::int64_t>(lifetime.count(), 0);
    const auto bucket = std::ranges::lower_bound(kBounds, seconds) - kBounds.begin();
    counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(static_cast<std::uint64_t>(seconds), std::memory_order_relaxed);
  }

  [[nodiscard]] Reading read() const noexcept {
    Reading reading;
    for (std::size_t i = 0; i < counts_.size(); ++i)
      reading.counts[i] = counts_[i].load(std::memory_order_relaxed);
    reading.sum = sum_.load(std::memory_order_relaxed);
    return reading;
  }

 private:
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> counts_{};
  std::atomic<std::uint64_t> sum_ = 0;
};

/// For how long credentials were good when they were given out, against how long they were used. The further apart, the more
/// a stolen one would have been worth. Thread-safe.
class LifetimeTally {
 public:
  /// One without an end counts as this long.
  static constexpr std::chrono::seconds kLongest = std::chrono::hours(24 * 365);

  /// Issuers note it, for each credential that they give out.
  void note_issued(std::chrono::sys_seconds now, std::chrono::sys_seconds expires_at) noexcept {
    issued.add(expires_at > now + kLongest ? kLongest : expires_at - now);
  }
  /// Whoever asked for it notes it when the call is over.
  void note_used(std::chrono::seconds used_for) noexcept { used.add(used_for); }

  LifetimeHistogram issued;
  LifetimeHistogram used;
};

}  // namespace chancery::vault
