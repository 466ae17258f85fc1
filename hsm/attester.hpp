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

/// What was measured into a device, as it says itself.
struct MeasurementStatement {
  SignedAttest statement;  ///< TPM2_NV_Certify of the whole index
  Bytes index_public;      ///< TPMS_NV_PUBLIC of the index
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

  /// Extends what was measured, H(old ‖ digest) with SHA-256 from zero: an NV index that only extends, made on
  /// first use. What is there outlasts restarts of the machine. Each call writes to the chip's flash memory,
  /// which stands some hundred thousand writes: measure what is new (another executable or manifest), not each
  /// start. The caller logs before it measures (attest/evidence/measurement_log.hpp); what the index holds
  /// tells whether an interrupted one came about.
  /// \param digest  SHA-256, of an entry of the log
  /// \return also kConflict when something that is not ours stands in the index's place
  virtual Status measure(ByteView digest, Deadline deadline) = 0;

  /// Certifies what was measured by the attestation key. \param nonce  at most 64 octets
  /// \return also kNotFound when nothing was measured yet, or a TPM2_Clear removed it
  virtual Result<MeasurementStatement> certify_measurements(ByteView nonce, Deadline deadline) = 0;

  /// Forgets its attestation key, so that identity() makes another: after another device was taken for this one's own.
  virtual void forget() = 0;

  /// The public area of a key, TPMT_PUBLIC, as it is certified. Asks no device.
  [[nodiscard]] virtual Result<Bytes> public_area(const StoredKey& key) const = 0;
};

}  // namespace chancery::hsm
