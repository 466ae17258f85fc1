#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace chancery::tests {

/// Choices for property tests, the same for the same seed on every machine: the standard's distributions are
/// not, so none is used.
class RandomSource {
 public:
  explicit RandomSource(std::uint64_t seed) : engine_(seed) {}

  /// 0 … bound - 1
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(engine_() % bound); }
  bool once_in(std::size_t times) { return below(times) == 0; }
  std::uint64_t bits() { return engine_(); }

  template <typename Range>
  auto pick(const Range& range) {
    return range[below(std::size(range))];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace chancery::tests
