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

/// A run of digits within a text. Remembers what they say, so that it borrows nothing.
class DigitRun {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }
  /// In how many ways the run can be divided into octets: by how many digits belong to something else in front of it.
  [[nodiscard]] std::size_t phases() const noexcept { return kind_ == Digits::kBase64 ? 4 : 2; }
  /// Makes `out` the octets of the run without its first `phase` digits.
  void decode(std::size_t phase, std::string& out) const;
  /// Where in the text the digits stand that have something of these octets.
  [[nodiscard]] Extent origin(const Extent& octets, std::size_t phase) const;

 private:
  friend class DigitRuns;

  // Digits that stand one behind the other.
  struct Part {
    std::size_t first = 0;  // how many digits the parts before it have
    std::size_t begin = 0;  // in the text
  };

  [[nodiscard]] std::size_t bits() const noexcept { return kind_ == Digits::kBase64 ? 6 : 4; }
  void begin(Digits kind);
  void add(std::string_view text, const Extent& part);
  [[nodiscard]] std::size_t place(std::size_t digit) const;

  Digits kind_ = Digits::kBase64;
  std::vector<Part> parts_;
  std::vector<std::uint8_t> values_;  // of each digit
};

/// The runs of at least so many digits in a text, in order. Looks at each octet once or twice, and, where no run can be, at
/// few of them.
class DigitRuns {
 public:
  /// \param text   borrowed
  /// \param least  not 0
  DigitRuns(std::string_view text, Digits kind, std::size_t least)
      : text_(text), kind_(kind), least_(least) {}

  /// Makes `run` the next one. \return false when there is none
  [[nodiscard]] bool next(DigitRun& run);

 private:
  [[nodiscard]] bool skip();
  [[nodiscard]] bool may_be_within(std::size_t at) const;
  [[nodiscard]] bool take_base64(DigitRun& run);
  [[nodiscard]] bool take_hex(DigitRun& run);
  [[nodiscard]] std::size_t end_of_pairs(std::size_t at) const;

  std::string_view text_;
  Digits kind_;
  std::size_t least_;
  std::size_t at_ = 0;
  std::size_t seen_ = 0;  // from at_ to here all may be within a run
};

}  // namespace chancery::redaction
