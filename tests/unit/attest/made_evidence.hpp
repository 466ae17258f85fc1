#pragma once

#include <optional>

#include <tss2/tss2_tpm2_types.h>

#include "attest/evidence/pcr.hpp"
#include "attest/evidence/public_area.hpp"
#include "attest/verify/statement.hpp"
#include "sdk/crypto/openssl_handles.hpp"

namespace chancery::tests {

/// What a TPM would say, said by a key in software: every member can be made wrong before it is signed.
struct MadeEvidence {
  explicit MadeEvidence(TPM2_ST type);

  openssl::Pkey signer;  ///< P-256
  TPMT_PUBLIC ak;        ///< of `signer`
  TPMS_ATTEST attest;
  TPM2_ALG_ID signature_hash = TPM2_ALG_SHA256;
  Bytes trailing;         ///< signed behind the statement
  Bytes nonce;            ///< that the verifier expects
  Bytes parent;           ///< the qualified name of the AK's, that the verifier knows
  bool is_known = true;   ///< the verifier has the AK
  TPMT_PUBLIC certified;  ///< the key that it is about
  Bytes creation_data;
  attest::PcrSelection selection;
  attest::PcrValues values;

  /// Signs and has it judged, from the AK to what it is about.
  [[nodiscard]] attest::Judged<void> judged() const;
};

[[nodiscard]] openssl::Pkey make_p256_key();
/// An attestation key's area for a P-256 key.
[[nodiscard]] TPMT_PUBLIC ak_area(EVP_PKEY* key);
[[nodiscard]] Bytes marshalled(const TPMT_PUBLIC& area);
[[nodiscard]] Bytes marshalled(const TPMS_ATTEST& attest);
/// A TPMT_SIGNATURE with ECDSA.
[[nodiscard]] Bytes signature_over(ByteView message, EVP_PKEY* key, TPM2_ALG_ID hash = TPM2_ALG_SHA256);
/// Sets a TPM2B_NAME, TPM2B_DATA or TPM2B_DIGEST.
void put(TPM2B_NAME& sized, ByteView octets);
void put(TPM2B_DATA& sized, ByteView octets);
void put(TPM2B_DIGEST& sized, ByteView octets);

}  // namespace chancery::tests
