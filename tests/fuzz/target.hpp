#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

/// The entry that libFuzzer, or our replay, calls with one input. \return 0
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer chose the name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace chancery::fuzz {

/// Ends the process when a property does not hold: the fuzzer then keeps the input.
inline void require(bool holds) {
  if (!holds) std::abort();
}

[[nodiscard]] inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace chancery::fuzz
