#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "hsm/attester.hpp"
#include "hsm/tpm/destroyed_keys.hpp"
#include "hsm/tpm/device.hpp"
#include "hsm/tpm/endorsement.hpp"
#include "hsm/tpm/gated_blob.hpp"
#include "hsm/tpm/key_blob.hpp"
#include "hsm/tpm/keys.hpp"
#include "hsm/tpm/nv_index.hpp"

namespace chancery::hsm {

/// Keeps the attestation key of a TPM: the wrapped blob is of use to this TPM alone.
struct AttestationKeyKeeper {
  std::optional<EkKind>
      ek{};    ///< below which a new one is made; none: the one that the manufacturer certified
  Bytes blob;  ///< as it was kept; empty: none yet
  std::function<Status(ByteView blob)> keep;  ///< empty: kept nowhere. What it refuses is not used
};

/// Evidence from a TPM 2.0: its attestation key is a restricted P-256 key below the EK, so that clock, resets and firmware
/// are plain in what it signs. Each call brings in what it needs and flushes it: a TPM holds three objects.
class TpmAttester final : public Attester {
 public:
  /// How a key that is certified is brought in: the backend's own way.
  using Preparation = std::function<Result<std::shared_ptr<const PreparedKey>>(const StoredKey& key)>;

  /// \param device  must outlive the attester
  /// \param master  from which the attestation key's auth value is derived
  TpmAttester(TpmDevice& device, const SecretBytes& master, AttestationKeyKeeper keeper, Preparation prepare);

  Result<HostIdentity> identity(Deadline deadline) override;
  Result<SecretBytes> activate(ByteView id_object, ByteView encrypted_secret, Deadline deadline) override;
  Result<SignedAttest> certify(const StoredKey& key, ByteView nonce, Deadline deadline) override;
  /// Certifies how a gated key was made, by the attestation key. \param nonce  at most 64 octets
  /// \param destroyed  outlives the device; kKeyLost for a key that is among them by the time that the device gets to it
  Result<SignedAttest> certify_creation(std::string_view owner,
                                        const std::shared_ptr<const PreparedGatedKey>& key,
                                        const DestroyedKeys& destroyed, ByteView nonce, Deadline deadline);
  Result<PcrQuote> quote(const attest::PcrSelection& selection, ByteView nonce, Deadline deadline) override;
  Status measure(ByteView digest, Deadline deadline) override;
  Result<MeasurementStatement> certify_measurements(ByteView nonce, Deadline deadline) override;
  void forget() override;
  [[nodiscard]] Result<Bytes> public_area(const StoredKey& key) const override;

 private:
  /// The attestation key as it is kept.
  struct Ak {
    EkKind ek;  ///< that it is a child of
    KeyParts parts;
  };
  using KeptAk = std::shared_ptr<const Ak>;

  [[nodiscard]] Result<KeptAk> attestation_key(Deadline deadline);

  TpmDevice& device_;
  const std::shared_ptr<const SecretBytes>
      auth_;  // shared with the device thread, which may outlast a caller
  const std::shared_ptr<const NvPlace> measurements_;  // likewise
  const std::optional<EkKind> wanted_;
  const std::function<Status(ByteView blob)> keep_;
  const Preparation prepare_;
  std::mutex mutex_;  // held while the key is made, so that there is one
  Bytes kept_;        // its blob, until it is read
  KeptAk ak_;
};

}  // namespace chancery::hsm
