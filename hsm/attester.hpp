#pragma once

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "attest/evidence/pcr.hpp"
#include "hsm/key_backend.hpp"

namespace chancery::hsm {

/// Who a host's TPM is, as it shows itself to a verifier: nothing of it is proved before a credential is activated.
struct HostIdentity {
  Bytes ek_certificate;  ///< DER as read from NV, padding included; empty: the manufacturer put none there
  Bytes ek_public;       ///< TPMT_PUBLIC
  Bytes ak_public;       ///< TPMT_PUBLIC of the attestation key, a child of the EK
  Bytes srk_public;      ///< TPMT_PUBLIC of the storage key, the parent of agents' keys
};

/// A statement as the TPM signed it.
struct SignedAttest {
  Bytes attest;     ///< TPMS_ATTEST
  Bytes signature;  ///< TPMT_SIGNATURE
};

struct PcrQuote {
  SignedAttest statement;
  attest::PcrValues values;  ///< read beside the quote: the verifier compares them with its digest
};

/// Says where a device's keys are, so that a verifier elsewhere can judge it. Thread-safe; every call ends by its
/// deadline, with KeyBackend's common errors.
class Attester {
 public:
  virtual ~Attester() = default;

  /// Makes the attestation key if there is none yet.
  /// \return who the host is; kKeyLost when the device does not open its attestation key, and what keeping one said
  virtual Result<HostIdentity> identity(Deadline deadline) = 0;

  /// Opens a credential that was made for this device's EK and the Name of its attestation key.
  /// \param id_object,encrypted_secret  TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET
  /// \return the secret; kForbidden when the credential is for another device or key
  virtual Result<SecretBytes> activate(ByteView id_object, ByteView encrypted_secret, Deadline deadline) = 0;

  /// Certifies a key of this device by its attestation key. \param nonce  at most 64 octets
  virtual Result<SignedAttest> certify(const StoredKey& key, ByteView nonce, Deadline deadline) = 0;

  /// Quotes PCRs by the attestation key. \return kNotFound for a bank that the device does not have
  virtual Result<PcrQuote> quote(const attest::PcrSelection& selection, ByteView nonce,
                                 Deadline deadline) = 0;

  /// The public area of a key, TPMT_PUBLIC, as it is certified. Asks no device.
  [[nodiscard]] virtual Result<Bytes> public_area(const StoredKey& key) const = 0;
};

}  // namespace chancery::hsm
