#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chancery::telemetry {

/// What the edge turned away before any route saw it, by reason. Thread-safe, without a lock.
class EdgeRefusals {
 public:
  enum class Reason : std::uint8_t {
    kMalformed,    ///< no HTTP as it must be
    kTooLarge,     ///< header or body
    kSlow,         ///< did not arrive in time
    kMemory,       ///< too many bodies are held
    kQueue,        ///< too many requests wait, of all or of one user
    kUnanswered,   ///< no handler answered in time
    kConnections,  ///< too many connections are open
  };
  static constexpr std::array<std::string_view, 7> kNames{"malformed", "too_large",  "slow",       "memory",
                                                          "queue",     "unanswered", "connections"};

  void add(Reason reason) noexcept {
    counts_[static_cast<std::size_t>(reason)].fetch_add(1, std::memory_order_relaxed);
  }
  /// \param reason  place in kNames
  [[nodiscard]] std::uint64_t value(std::size_t reason) const noexcept {
    return counts_[reason].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, kNames.size()> counts_{};
};

}  // namespace chancery::telemetry
