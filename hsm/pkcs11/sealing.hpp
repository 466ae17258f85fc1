#pragma once

#include <array>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "hsm/pkcs11/key_attributes.hpp"

namespace chancery::hsm {

// Secrets that a token encrypts with an AES-256 key of its own, by CKM_AES_GCM. What is sealed is a version, the CKA_ID of the
// key, the IV, then the ciphertext and its tag. It names its key so that it does not matter which of several one seals with: two
// daemons that find none at the same moment make one each.

/// The label of sealing keys, for people who look into the token, and by which they are found.
inline constexpr const char* kSealingLabel = "chancery-sealing";

inline constexpr std::size_t kSealingIdSize = 16;
inline constexpr std::size_t kSealingIvSize = 12;

/// What is sealed, divided. Borrows the octets that it was read from.
struct SealedParts {
  ByteView key_id;
  ByteView iv;
  ByteView ciphertext;  ///< with its tag
};

/// \return the parts; kKeyLost when they cannot have been made by seal_with()
[[nodiscard]] Result<SealedParts> read_sealed(ByteView sealed);

/// Has the token encrypt. The IV is random, of our own generator.
/// \param id       of the key, kSealingIdSize octets
/// \param context  for whom; authenticated with the secret
/// \return what is sealed; kUnsupportedAlgorithm when the token does not take an IV of ours, device errors
[[nodiscard]] Result<Bytes> seal_with(const TokenObject& key, ByteView id, const Sha256Digest& context,
                                      ByteView secret);

/// Has the token decrypt.
/// \return the secret; kKeyLost when the tag does not fit, device errors
[[nodiscard]] Result<SecretBytes> unseal_with(const TokenObject& key, const Sha256Digest& context,
                                              const SealedParts& sealed);

}  // namespace chancery::hsm
