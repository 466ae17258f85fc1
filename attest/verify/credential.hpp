#pragma once

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "attest/evidence/public_area.hpp"
#include "attest/evidence/refusal.hpp"

namespace chancery::attest {

/// A secret that only the TPM with this EK can open, and only for the key with this Name (TPM 2.0 Part 1, 24).
struct Credential {
  Bytes id_object;         ///< TPM2B_ID_OBJECT
  Bytes encrypted_secret;  ///< TPM2B_ENCRYPTED_SECRET: the seed
};

/// Makes a credential, in software what TPM2_MakeCredential does, for an EK of RSA-2048 or larger, P-256 or P-384 by
/// the TCG's templates.
/// \param ek       a restricted decryption key with AES in CFB mode
/// \param secret   at most as long as the hash of the EK's Name
/// \return the credential; kInvalidKey for a key that is no EK, kInvalidArgument (secret), kCryptoFailure
[[nodiscard]] Result<Credential> make_credential(const PublicArea& ek, ByteView ak_name, ByteView secret);

/// A credential as somebody presented it, with what is known of how it was made. Borrowed.
struct PresentedCredential {
  ByteView id_object;
  ByteView encrypted_secret{};   ///< empty: not judged
  ByteView seed{};               ///< of its keys; empty: not known
  ByteView ephemeral_private{};  ///< of the ephemeral point, for an ECC EK; empty: not known
};

/// Opens a credential without the EK's private part, by the seed from which its keys are. In this order: the blobs'
/// form (kMalformed), that seed and ephemeral key go together (kIntegrity), the HMAC over secret and Name (kIntegrity).
/// \return the secret; empty where neither seed nor ephemeral key is known, so that only the form was judged
[[nodiscard]] Judged<SecretBytes> open_credential(const PublicArea& ek, ByteView ak_name,
                                                  const PresentedCredential& presented);

}  // namespace chancery::attest
