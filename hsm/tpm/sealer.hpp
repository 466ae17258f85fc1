#pragma once

#include "hsm/sealer.hpp"
#include "hsm/tpm/device.hpp"

namespace chancery::hsm {

/// Seals secrets as data objects under the storage key (TPM 2.0 part 1, section 27.6), each with an auth value of its
/// binding's. A blob is TPM2B_PUBLIC and TPM2B_PRIVATE, as a key's is; the TPM keeps nothing. Where sessions are encrypted the
/// secret is, too, on its way to the TPM and back.
class TpmSealer final : public Sealer {
 public:
  /// \param device  outlives the sealer
  /// \param master  from which the auth values are derived; borrowed, outlives the sealer
  TpmSealer(TpmDevice& device, const SecretBytes& master) : device_(device), master_(master) {}

  Result<Bytes> seal(const KeyBinding& binding, const SecretBytes& secret, Deadline deadline) override;
  /// kWrongDevice while the TPM is another one than the pinned, a cleared one too; kKeyLost once it was adopted.
  Result<SecretBytes> unseal(const KeyBinding& binding, ByteView sealed, Deadline deadline) override;

 private:
  /// Never that of a key of the same binding.
  [[nodiscard]] SecretBytes derive_auth(const KeyBinding& binding) const;

  TpmDevice& device_;
  const SecretBytes& master_;
};

}  // namespace chancery::hsm
