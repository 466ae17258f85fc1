#pragma once

#include <chancery/keys.hpp>
#include <chancery/result.hpp>

#include "hsm/pkcs11/cryptoki.hpp"
#include "hsm/pkcs11/key_reference.hpp"

namespace chancery::hsm {

/// An object of a token in a session.
struct TokenObject {
  const CK_FUNCTION_LIST& functions;
  CK_SESSION_HANDLE session = 0;
  CK_OBJECT_HANDLE handle = 0;
};

/// A pair as C_GenerateKeyPair gave it.
struct KeyPairHandles {
  CK_OBJECT_HANDLE public_half = 0;
  CK_OBJECT_HANDLE private_half = 0;
};

/// The mechanism that signs. CKM_ECDSA takes the SHA-256 of a message, CKM_EDDSA the message.
[[nodiscard]] CK_MECHANISM_TYPE signing_mechanism(Algorithm algorithm) noexcept;

/// Has the token make a pair: kept by the token, for signing alone, never to leave it.
[[nodiscard]] Result<KeyPairHandles> generate_pair(const CK_FUNCTION_LIST& functions,
                                                   CK_SESSION_HANDLE session, const KeyReference& key,
                                                   Algorithm algorithm);

/// Reads back what a private key says of itself: made in the token, sensitive and never otherwise, never
/// extractable, for signing alone, on the algorithm's curve. This is the module's word and no proof.
/// \return kKeyMismatch when it says otherwise, or does not say
[[nodiscard]] Status check_private_key(const TokenObject& key, Algorithm algorithm);

/// Has the token make an AES-256 key: kept by the token, for encrypting and decrypting alone, never to leave it.
[[nodiscard]] Result<CK_OBJECT_HANDLE> generate_sealing_key(const CK_FUNCTION_LIST& functions,
                                                            CK_SESSION_HANDLE session,
                                                            const KeyReference& key);

/// Reads back what a sealing key says of itself, as check_private_key() does.
[[nodiscard]] Status check_sealing_key(const TokenObject& key);

/// CKA_ID, of 64 octets at most.
[[nodiscard]] Result<Bytes> read_id(const TokenObject& object);

/// The point of a public key object; kDeviceError when it is none of the algorithm's curve.
[[nodiscard]] Result<PublicKey> read_public_key(const TokenObject& key, Algorithm algorithm);

}  // namespace chancery::hsm
