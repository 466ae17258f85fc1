#pragma once

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

namespace chancery {

inline constexpr std::size_t kAeadKeySize = 32;
inline constexpr std::size_t kAeadNonceSize = 12;
inline constexpr std::size_t kAeadTagSize = 16;

/// Encrypts with AES-256-GCM (NIST SP 800-38D).
///
/// Pure and thread-safe. A nonce serves a key once: used twice, it gives away what was encrypted, and lets anybody forge.
/// \param key    32 octets
/// \param nonce  12 octets, never used with this key before; not part of what is returned
/// \param aad    what is authenticated and not encrypted; open_aead() wants the same
/// \param plain  at most 1 GiB
/// \return the ciphertext, as long as `plain`, and the tag of 16 octets behind it; kInvalidArgument (a size is wrong),
///         kCryptoFailure
[[nodiscard]] Result<Bytes> seal_aead(ByteView key, ByteView nonce, ByteView aad, ByteView plain);

/// Opens what seal_aead() made. Nothing of the plaintext is given out before the tag was found to fit.
/// \return the plaintext; kSignatureInvalid when key, nonce, `aad` or `sealed` are not those that belong together, or
///         `sealed` has no room for a tag; kInvalidArgument (size of key or nonce, or more than 1 GiB), kCryptoFailure
[[nodiscard]] Result<SecretBytes> open_aead(ByteView key, ByteView nonce, ByteView aad, ByteView sealed);

}  // namespace chancery
