#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chancery {

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t size = 0;  ///< octets; 0 when the text does not begin with well-formed UTF-8
};

/// The code point that `text` begins with (Unicode 15, table 3-7: no overlong form, no surrogate, none beyond
/// U+10FFFF).
/// \param text  not empty
[[nodiscard]] CodePoint decode_utf8(std::string_view text) noexcept;

}  // namespace chancery
