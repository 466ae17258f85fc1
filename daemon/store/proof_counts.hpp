#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include <chancery/keys.hpp>

namespace chancery::store {

/// At most how many proofs of each holder are kept: those that were counted last, and those that were recorded since. Some may have
/// ended, or were undone with their transaction: so before a holder is refused they are counted. Not thread-safe.
class ProofCounts {
 public:
  using Count = std::optional<std::int64_t>;

  /// The holder's; none when they are to be counted. Good until the next call.
  [[nodiscard]] Count& of(const Thumbprint& holder) {
    if (counts_.size() >= kMostHolders && !counts_.contains(holder)) counts_.clear();
    return counts_[holder];
  }

 private:
  static constexpr std::size_t kMostHolders = 4096;

  std::map<Thumbprint, Count> counts_;
};

}  // namespace chancery::store
