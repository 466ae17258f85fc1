#pragma once

#include <span>
#include <string_view>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

namespace chancery {

/// SHA-256 (FIPS 180-4). Aborts only when OpenSSL itself cannot provide it.
[[nodiscard]] Sha256Digest sha256(ByteView message) noexcept;

/// HMAC with SHA-256 (RFC 2104). Aborts only when OpenSSL itself cannot provide it.
[[nodiscard]] Sha256Digest hmac_sha256(ByteView key, ByteView message) noexcept;

/// HKDF with SHA-256 (RFC 5869).
/// \param size octets wanted, at most 8160
[[nodiscard]] SecretBytes hkdf_sha256(ByteView key, ByteView salt, std::string_view info, std::size_t size);

/// Fills `out` from OpenSSL's generator, or fails with kCryptoFailure.
[[nodiscard]] Status random_bytes(std::span<std::uint8_t> out) noexcept;

/// Whether two byte strings are equal, in time that depends on their lengths only.
[[nodiscard]] bool equal_constant_time(ByteView a, ByteView b) noexcept;

}  // namespace chancery
