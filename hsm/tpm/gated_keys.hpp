#pragma once

#include "hsm/gated_keys.hpp"
#include "hsm/tpm/attester.hpp"
#include "hsm/tpm/destroyed_keys.hpp"
#include "hsm/tpm/device.hpp"

namespace chancery::hsm {

/// Gated keys of a TPM 2.0, below its storage key. The TPM keeps nothing of them. Each has an authorization value that is drawn
/// for it and forgotten: the policy is the only way to use it.
///
/// Each signature has a policy session of its own, salted to the storage key, so that an HMAC protects TPM2_Sign and its answer.
/// It encrypts nothing: what approvers sign is the hash of the command as it is sent, and an encrypted one is another.
class TpmGatedKeys final : public GatedKeys {
 public:
  /// \param device,attester,destroyed  must outlive it, and `destroyed` the device
  TpmGatedKeys(TpmDevice& device, TpmAttester& attester, const DestroyedKeys& destroyed)
      : device_(device), attester_(attester), destroyed_(destroyed) {}

  Result<StoredKey> create(const KeyBinding& binding, const attest::GatePolicy& policy,
                           Deadline deadline) override;
  Result<Signature> sign(const StoredKey& key, const attest::GatePolicy& policy, ByteView message,
                         std::span<const PolicySignature> signatures, Deadline deadline) override;
  Result<CreationStatement> certify(const StoredKey& key, ByteView nonce, Deadline deadline) override;
  [[nodiscard]] Result<Bytes> public_area(const StoredKey& key) const override;

 private:
  TpmDevice& device_;
  TpmAttester& attester_;
  const DestroyedKeys& destroyed_;
};

}  // namespace chancery::hsm
