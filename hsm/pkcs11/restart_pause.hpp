#pragma once

#include <algorithm>
#include <chrono>

namespace chancery::hsm {

/// How long to wait before a process that ended is started again: not at all the first time, and twice as long
/// each time that it ends within a minute, up to half a minute.
class RestartPause {
 public:
  using Duration = std::chrono::milliseconds;

  /// \param lived  how long the process that ended had run
  [[nodiscard]] Duration next(std::chrono::steady_clock::duration lived) {
    if (lived >= kSettled) pause_ = Duration::zero();
    const Duration now = pause_;
    pause_ = std::clamp(2 * pause_, kShortest, kLongest);
    return now;
  }

 private:
  static constexpr std::chrono::minutes kSettled{1};
  static constexpr Duration kShortest{100};
  static constexpr Duration kLongest{30'000};

  Duration pause_{0};
};

}  // namespace chancery::hsm
