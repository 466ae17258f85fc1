#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <set>

#include <chancery/bytes.hpp>
#include <chancery/error.hpp>

namespace chancery::hsm {

inline constexpr Error kKeyDestroyed{ErrorCode::kKeyLost,
                                     "the key was destroyed: use the agent's present one"};

/// Keys that were destroyed of late. A TPM would still open a copy of such a key's blob; the store erases its
/// own, and no copy is about for longer than the request that read it. Thread-safe.
class DestroyedKeys {
 public:
  void add(const Sha256Digest& identity) {
    const std::lock_guard lock(mutex_);
    if (!known_.insert(identity).second) return;
    order_.push_back(identity);
    if (order_.size() <= kMost) return;
    known_.erase(order_.front());
    order_.pop_front();
  }

  [[nodiscard]] bool contains(const Sha256Digest& identity) const {
    const std::lock_guard lock(mutex_);
    return known_.contains(identity);
  }

 private:
  static constexpr std::size_t kMost = 65'536;  // far more than requests can be under way

  mutable std::mutex mutex_;
  std::set<Sha256Digest> known_;
  std::deque<Sha256Digest> order_;
};

}  // namespace chancery::hsm
