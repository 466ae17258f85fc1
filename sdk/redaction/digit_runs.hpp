#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/redaction/hit.hpp"

namespace chancery::redaction {

/// How octets are written in digits of a few bits each.
enum class Digits : std::uint8_t {
  kBase64,  ///< standard and URL alphabet, mixed too; line ends within it are left out
  kHex,     ///< either case; also with one `:`, `-`, or space between each two digits
};

/// A run of digits within a text.
class DigitRun {
 public:
  DigitRun(Digits kind, std::vector<std::size_t> places) : kind_(kind), places_(std::move(places)) {}

  /// In how many ways the run can be divided into octets: by how many digits belong to something else in front of it.
  [[nodiscard]] std::size_t phases() const noexcept { return kind_ == Digits::kBase64 ? 4 : 2; }
  /// The octets of the run without its first `phase` digits.
  [[nodiscard]] std::string decode(std::string_view text, std::size_t phase) const;
  /// Where in the text the digits stand that have something of these octets.
  [[nodiscard]] Extent origin(const Extent& octets, std::size_t phase) const;

 private:
  [[nodiscard]] std::size_t bits() const noexcept { return kind_ == Digits::kBase64 ? 6 : 4; }

  Digits kind_;
  std::vector<std::size_t> places_;  // of each digit
};

/// The runs of at least `least` digits in `text`, in order.
[[nodiscard]] std::vector<DigitRun> digit_runs(std::string_view text, Digits kind, std::size_t least);

}  // namespace chancery::redaction
