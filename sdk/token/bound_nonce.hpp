#pragma once

#include <string_view>

#include <chancery/bytes.hpp>

namespace chancery {

/// What statements are over that are about the use of a token at a verifier now: SHA-256(leaf ‖ nonce).
/// \param leaf  the token's compact form
[[nodiscard]] Bytes bound_nonce(std::string_view leaf, ByteView nonce);

}  // namespace chancery
