#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace chancery::edge {

/// How many octets of request bodies the connections of a listener may hold together. Each takes its share as
/// its body arrives. Thread-safe.
class BodyBudget {
 public:
  explicit BodyBudget(std::size_t octets) noexcept : octets_(octets) {}
  BodyBudget(const BodyBudget&) = delete;
  BodyBudget& operator=(const BodyBudget&) = delete;

  [[nodiscard]] std::size_t held() const noexcept { return held_; }

  /// What one connection holds; given back at its end. Not thread-safe.
  class Share {
   public:
    explicit Share(BodyBudget& budget) noexcept : budget_(budget) {}
    ~Share() { release(); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    /// \return whether the budget has room for so much; if not, the share stays as it is
    [[nodiscard]] bool grow_to(std::size_t octets) noexcept {
      if (octets <= held_) return true;
      const std::size_t more = octets - held_;
      if (budget_.held_.fetch_add(more) + more > budget_.octets_) {
        budget_.held_.fetch_sub(more);
        return false;
      }
      held_ = octets;
      return true;
    }
    void release() noexcept { budget_.held_.fetch_sub(std::exchange(held_, 0)); }

   private:
    BodyBudget& budget_;
    std::size_t held_ = 0;
  };

 private:
  const std::size_t octets_;
  std::atomic<std::size_t> held_ = 0;
};

}  // namespace chancery::edge
