#pragma once

#include <string>
#include <string_view>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

namespace chancery {

/// Lower-case hexadecimal.
[[nodiscard]] std::string hex_encode(ByteView bytes);

/// Either case, an even number of digits, nothing else; else kMalformed.
[[nodiscard]] Result<Bytes> hex_decode(std::string_view text);

}  // namespace chancery
