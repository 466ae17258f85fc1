#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <chancery/bytes.hpp>

namespace chancery::redaction {

/// Tells where in a text a few octets of some secret, its anchor, may stand, so that all else is passed over quickly. Of each
/// anchor it has two hashes of 19 bits under multipliers that it is given. The hashes are as secret as the multipliers.
///
/// One multiplication and one look at a small table for each octet of a text, whatever the number of secrets: up to two
/// thousand of them, octets that are nobody's pass by chance once in some 2^16 places, and more often beyond.
class SecretAnchors {
 public:
  using Multipliers = std::array<std::uint64_t, 2>;  ///< odd, random

  /// \param width  octets of an anchor: 4 or 8
  explicit SecretAnchors(std::size_t width) : width_(width) {}

  [[nodiscard]] std::size_t width() const noexcept { return width_; }
  [[nodiscard]] bool empty() const noexcept { return prints_.empty(); }

  /// \param anchor  of that width
  /// \return its hashes, which remove() takes; as secret as the multipliers
  std::uint64_t add(std::string_view anchor, const Multipliers& multipliers);

  /// Takes back what add() returned, once.
  void remove(std::uint64_t print);

  /// The first place, at or behind `at` and before `end`, where an anchor may stand; `end` when there is none.
  /// \param end  at most the text's size less the width, and one
  [[nodiscard]] std::size_t next(std::string_view text, std::size_t at, std::size_t end,
                                 const Multipliers& multipliers) const;

 private:
  /// Brings the tables to the size that fits.
  void resize();
  void mark(std::uint64_t print);

  std::size_t width_;
  std::size_t bits_ = 0;  // of each of the tables; a power of two
  SecretBytes prints_;    // 8 octets each: the two hashes
  SecretBytes tables_;    // a bit for each value of the first hash, then of the second
};

}  // namespace chancery::redaction
