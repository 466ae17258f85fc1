#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace chancery::telemetry {

/// How many requests each route answered with each class of status. Thread-safe, without a lock.
class RequestCounts {
 public:
  static constexpr std::size_t kMaxRoutes = 192;
  static constexpr std::size_t kClasses = 5;  ///< 1xx to 5xx

  /// \param route  place in the route table, below kMaxRoutes
  /// \param status  100 to 599
  void add(std::size_t route, int status) noexcept {
    counts_[route][class_of(status)].fetch_add(1, std::memory_order_relaxed);
  }
  /// \param status_class  0 stands for 1xx
  [[nodiscard]] std::uint64_t value(std::size_t route, std::size_t status_class) const noexcept {
    return counts_[route][status_class].load(std::memory_order_relaxed);
  }

 private:
  [[nodiscard]] static std::size_t class_of(int status) noexcept {
    return static_cast<std::size_t>(status / 100 - 1);
  }

  std::array<std::array<std::atomic<std::uint64_t>, kClasses>, kMaxRoutes> counts_{};
};

}  // namespace chancery::telemetry
