#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "hsm/key_backend.hpp"
#include "hsm/tpm/attester.hpp"
#include "hsm/tpm/destroyed_keys.hpp"
#include "hsm/tpm/device.hpp"
#include "hsm/tpm/gated_keys.hpp"
#include "hsm/tpm/kill_switch.hpp"
#include "hsm/tpm/nv_counter.hpp"
#include "hsm/tpm/sealer.hpp"

namespace chancery::hsm {

struct TpmOptions {
  std::string name;  ///< of the `[[backend]]` section
  std::string tcti;  ///< "device:/dev/tpmrm0" or "swtpm:path=/…"
  bool allow_simulator = false;
  SessionKind sessions = SessionKind::kEncrypted;
  std::size_t queue = 256;       ///< requests that may wait; those of one agent may fill half of it
  std::size_t key_cache = 4096;  ///< keys whose loaded form is kept ready
  std::chrono::milliseconds timeout{
      10'000};         ///< for one command; a TPM that takes longer is given up and sought anew
  SecretBytes master;  ///< 32 octets from which the keys' auth values are derived
  Bytes pinned_name;   ///< Name of the storage key that our keys live under; empty: not known yet
  /// Keeps the Name of a TPM that is met for the first time; what it refuses is not used. Called on the
  /// device thread, also while open() waits: it must not wait for the caller of open().
  std::function<Status(ByteView name)> pin;
  AttestationKeyKeeper attestation_key{};
  std::optional<KillSwitchOptions> kill_switch{};  ///< none: keys that carry a switch cannot be used
};

/// Keys in a TPM 2.0, wrapped by its storage primary key and kept as blobs, so that a TPM with three places
/// serves any number of agents. Thread-safe.
class TpmBackend final : public KeyBackend {
 public:
  /// What open() refuses without asking a TPM. Looks at neither `master` nor a device.
  /// \return kInvalidArgument (tcti, plain sessions with a device, kill switch), kSimulatorRefused, kInvalidKey (of the
  ///         operator)
  [[nodiscard]] static Status check_options(const TpmOptions& options);

  /// Opens the backend. A TPM that is absent, silent or another than the pinned one is no error: every use
  /// then fails with kDeviceUnavailable or kWrongDevice until the right one is back, and all that needs no
  /// TPM goes on. Waits for the first answer, at most `timeout`.
  /// \return the backend; kInvalidArgument (tcti, master, plain sessions with a device), kSimulatorRefused,
  ///         or what `pin` said
  [[nodiscard]] static Result<std::unique_ptr<TpmBackend>> open(TpmOptions options);

  Result<StoredKey> create(const KeyBinding& binding, Algorithm algorithm, Deadline deadline) override;
  Result<Signature> sign(const StoredKey& key, ByteView message, Deadline deadline) override;
  Status destroy(const StoredKey& key, Deadline deadline) override;
  /// Nothing: a TPM keeps no key whose blob was not stored.
  Status discard(const KeyBinding&, Deadline) override { return {}; }
  Status adopt(const std::function<Status(ByteView name)>& keep) override;
  /// kWrongDevice when another TPM answers than the one that the pin names.
  Status check(Deadline deadline) override;
  Result<std::vector<Fact>> facts(Deadline deadline) override;
  [[nodiscard]] MonotonicCounter* counter() noexcept override { return counter_.get(); }
  [[nodiscard]] Attester* attester() noexcept override { return attester_.get(); }
  [[nodiscard]] Sealer* sealer() noexcept override { return sealer_.get(); }
  [[nodiscard]] GatedKeys* gated_keys() noexcept override { return gated_keys_.get(); }
  [[nodiscard]] KillSwitch* kill_switch() noexcept override { return kill_switch_.get(); }
  [[nodiscard]] BackendInfo describe() const override;
  [[nodiscard]] BackendLoad load() const override { return device_->load(); }

  /// Name of the storage key, pinned or found; empty while neither is known.
  [[nodiscard]] Bytes storage_key_name() const;

  /// The device, for whatever else needs the TPM.
  [[nodiscard]] TpmDevice& device() noexcept { return *device_; }

 private:
  explicit TpmBackend(TpmOptions options) : options_(std::move(options)) {}

  using Slot = std::optional<KillSwitch::Slot>;  ///< none: a key that its auth value alone authorizes

  [[nodiscard]] Result<StoredKey> make_key(const KeyBinding& binding, Slot slot, Deadline deadline);
  /// What a public area must be for this slot. \return kKeyLost when there is no such slot
  [[nodiscard]] Result<TPM2B_PUBLIC> template_for(Slot slot) const;
  [[nodiscard]] Status accept(const TpmFacts& facts, ByteView storage_key_name);
  [[nodiscard]] Result<std::shared_ptr<const PreparedKey>> prepare(const StoredKey& key) const;
  [[nodiscard]] SecretBytes derive_auth(const KeyBinding& binding) const;

  TpmOptions options_;
  mutable std::mutex name_mutex_;  // of options_.pinned_name and the next; the rest does not change
  Bytes refused_name_;             // of a TPM that is not the pinned one; empty: none was met
  DestroyedKeys destroyed_;
  std::unique_ptr<TpmDevice> device_;  // its thread calls accept(), and ends before the above do
  std::unique_ptr<NvCounter> counter_;
  std::unique_ptr<TpmAttester> attester_;
  std::unique_ptr<TpmSealer> sealer_;
  std::unique_ptr<TpmGatedKeys> gated_keys_;
  std::shared_ptr<const SwitchBanks> banks_;
  std::unique_ptr<TpmKillSwitch> kill_switch_;
};

}  // namespace chancery::hsm
