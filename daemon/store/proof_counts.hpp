#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include <chancery/keys.hpp>

namespace chancery::store {

/// At most how many proofs of each holder are kept that have not ended: those that were counted last, and those that were recorded since.
/// Some may have ended, or were undone with their transaction: so before a holder is refused they are counted. Not thread-safe.
class ProofCounts {
 public:
  using Count = std::optional<std::int64_t>;

  /// The holder's; none when they are to be counted, as it is before an instant at which they were. Good until the next call.
  [[nodiscard]] Count& of(const Thumbprint& holder, std::chrono::sys_seconds now) {
    if (counts_.size() >= kMostHolders && !counts_.contains(holder)) counts_.clear();
    Held& held = counts_[holder];
    if (now < held.at) held.count.reset();
    held.at = now;
    return held.count;
  }

 private:
  static constexpr std::size_t kMostHolders = 4096;

  struct Held {
    Count count;
    std::chrono::sys_seconds at{};
  };

  std::map<Thumbprint, Held> counts_;
};

}  // namespace chancery::store
