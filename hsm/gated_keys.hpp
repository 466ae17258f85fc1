#pragma once

#include <span>

#include <chancery/bytes.hpp>
#include <chancery/keys.hpp>
#include <chancery/result.hpp>

#include "attest/evidence/policy_digest.hpp"
#include "hsm/attester.hpp"
#include "hsm/key_backend.hpp"

namespace chancery::hsm {

/// An approver's signature over attest::policy_signature_input().
struct PolicySignature {
  PublicKey approver;
  Signature signature{};
};

/// What says where a gated key is. TPM2_Certify takes the key's policy, as whatever needs its ADMIN role does, so the TPM
/// tells of the key by how it was made.
struct CreationStatement {
  SignedAttest statement;  ///< TPM2_CertifyCreation by the attestation key
  Bytes creation_data;     ///< TPMS_CREATION_DATA, whose hash is in it
};

/// Makes and uses keys with which a device signs only what enough approvers have signed for: the device refuses everybody
/// else, this daemon too (docs/protocol/gated-keys.md). Thread-safe; every call ends by its deadline, with KeyBackend's
/// common errors. KeyBackend::destroy() ends these keys, too; its sign() refuses them (kForbidden).
class GatedKeys {
 public:
  virtual ~GatedKeys() = default;

  /// Makes a key behind this policy, for good: another set of approvers is another key.
  /// \return the key; kInvalidArgument, kUnsupportedAlgorithm or kInvalidKey for a policy that is none, as
  ///         attest::gate_choices() says
  virtual Result<StoredKey> create(const KeyBinding& binding, const attest::GatePolicy& policy,
                                   Deadline deadline) = 0;

  /// Signs `message` with what approvers signed for it, and checks the signature with `key.public_key` before it is
  /// returned. Signatures of one who is no approver are not looked at; of more than enough, the first set that is whole is
  /// used, in the order of attest::gate_choices(). Whether they are right is the device's to say.
  /// \return the signature; kForbidden when the quorum is not met, kSignatureInvalid when the device does not take an
  ///         approver's signature: it is another's, or for another message, key or gate. kKeyMismatch for a key that is
  ///         behind another policy; else as KeyBackend::sign()
  virtual Result<Signature> sign(const StoredKey& key, const attest::GatePolicy& policy, ByteView message,
                                 std::span<const PolicySignature> signatures, Deadline deadline) = 0;

  /// Certifies how the key was made, by the device's attestation key. kKeyLost for one that was destroyed.
  /// \param nonce  at most 64 octets
  virtual Result<CreationStatement> certify(const StoredKey& key, ByteView nonce, Deadline deadline) = 0;

  /// The public area of a key, TPMT_PUBLIC, as it is certified. Asks no device. \return kKeyLost when the blob is damaged
  [[nodiscard]] virtual Result<Bytes> public_area(const StoredKey& key) const = 0;
};

}  // namespace chancery::hsm
