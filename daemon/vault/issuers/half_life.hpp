#pragma once

#include <chrono>

#include <chancery/error.hpp>

namespace chancery::vault {

/// Whether a token is young enough for another call: what is left must be enough for that.
[[nodiscard]] constexpr bool is_in_first_half(std::chrono::sys_seconds begin, std::chrono::sys_seconds end,
                                              std::chrono::sys_seconds now) noexcept {
  return now < end && now - begin < end - now;
}

inline constexpr Error kOutlivesTheLeaf{
    ErrorCode::kLimitExceeded,
    "the server's tokens live longer than the chain's leaf, and it takes none back: name its revocation endpoint, "
    "use a leaf that lives longer, or accept tokens that outlive it"};

}  // namespace chancery::vault
