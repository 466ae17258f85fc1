#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <chancery/keys.hpp>

namespace chancery {

// The two forms of an ES256 signature: r‖s as a JWS has it (RFC 7518 section 3.4), and DER (RFC 3279 section 2.2.3).

/// Room for the longest.
using EcdsaDer = std::array<std::uint8_t, 80>;

/// \param raw  r‖s
/// \return how many octets of `der` were filled; 0 unless `raw` has 64 octets of which neither number is zero
[[nodiscard]] std::size_t ecdsa_der_from_raw(ByteView raw, EcdsaDer& der) noexcept;

/// \return r‖s; nothing unless `der` is the distinguished encoding of two numbers of at most 256 bits, and no more
[[nodiscard]] std::optional<Signature> ecdsa_raw_from_der(ByteView der) noexcept;

}  // namespace chancery
