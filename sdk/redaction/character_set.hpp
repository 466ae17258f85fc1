#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace chancery::redaction {

/// Some of the 256 octets.
class CharacterSet {
 public:
  constexpr CharacterSet() = default;
  /// \param brackets  as in the brackets of an expression: characters, and ranges with a hyphen. A hyphen at an end is one.
  constexpr explicit CharacterSet(std::string_view brackets) {
    for (std::size_t i = 0; i < brackets.size(); ++i) {
      const bool is_range = i + 2 < brackets.size() && brackets[i + 1] == '-';
      for (int c = octet(brackets[i]); c <= octet(brackets[is_range ? i + 2 : i]); ++c)
        has_[static_cast<std::size_t>(c)] = true;
      if (is_range) i += 2;
    }
  }

  [[nodiscard]] constexpr bool has(char c) const { return has_[static_cast<std::size_t>(octet(c))]; }

  /// Where the run that `at` is in, or in front of, ends.
  [[nodiscard]] constexpr std::size_t end_of_run(std::string_view text, std::size_t at) const {
    while (at < text.size() && has(text[at])) ++at;
    return at;
  }

 private:
  static constexpr int octet(char c) { return static_cast<unsigned char>(c); }

  std::array<bool, 256> has_{};
};

inline constexpr CharacterSet kWordCharacters{"A-Za-z0-9_"};
inline constexpr CharacterSet kLettersAndDigits{"A-Za-z0-9"};
inline constexpr CharacterSet kDigits{"0-9"};
inline constexpr CharacterSet kHexDigits{"0-9a-fA-F"};

}  // namespace chancery::redaction
