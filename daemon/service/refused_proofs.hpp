#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <set>
#include <utility>

#include "daemon/store/proof_book.hpp"

namespace chancery::service {

/// Tells the first refusal of a proof from those that follow, and counts them all. In memory and bounded: when very
/// many proofs are refused within minutes, one may count as refused for the first time again. Thread-safe.
class RefusedProofs {
 public:
  /// \return whether it is the first refusal of this proof
  bool note(const store::ProofUse& use);

  [[nodiscard]] std::uint64_t count() const;

 private:
  using Names = std::set<std::pair<Thumbprint, Sha256Digest>>;

  mutable std::mutex mutex_;
  Names recent_;  // since `since_`
  Names former_;  // and before
  std::chrono::sys_seconds since_{};
  std::uint64_t count_ = 0;
};

}  // namespace chancery::service
