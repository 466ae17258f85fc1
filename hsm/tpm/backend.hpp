#pragma once

#include <functional>
#include <memory>
#include <string>

#include "hsm/key_backend.hpp"
#include "hsm/tpm/device.hpp"

namespace chancery::hsm {

struct TpmOptions {
  std::string name;        ///< of the `[[backend]]` section
  std::string tcti;        ///< "device:/dev/tpmrm0" or "swtpm:path=/…"
  bool allow_simulator = false;
  SessionKind sessions = SessionKind::kEncrypted;
  std::size_t queue = 256;
  std::size_t key_cache = 4096;
  SecretBytes master;      ///< 32 octets from which the keys' auth values are derived
  Bytes pinned_name;       ///< Name of the storage key that our keys live under; empty: not known yet
  /// Keeps the Name of a TPM that is met for the first time; what it refuses is not used. On the device thread.
  std::function<Status(ByteView name)> pin;
};

/// Keys in a TPM 2.0, wrapped by its storage primary key and kept as blobs, so that a TPM with three places serves any
/// number of agents. Thread-safe.
class TpmBackend final : public KeyBackend {
 public:
  /// Opens the backend, whether or not the TPM is there: it is looked for at every use.
  /// \return the backend; kInvalidArgument (tcti, master, plain sessions with a device), kSimulatorRefused
  [[nodiscard]] static Result<std::unique_ptr<TpmBackend>> open(TpmOptions options);

  Result<StoredKey> create(const KeyBinding& binding, Deadline deadline) override;
  Result<Signature> sign(const StoredKey& key, ByteView message, Deadline deadline) override;
  Status destroy(const StoredKey& key, Deadline deadline) override;
  /// kWrongDevice when another TPM answers than the one that the pin names.
  Status check(Deadline deadline) override;
  [[nodiscard]] BackendInfo describe() const override;
  [[nodiscard]] BackendLoad load() const override { return device_->load(); }

 private:
  explicit TpmBackend(TpmOptions options) : options_(std::move(options)) {}

  [[nodiscard]] Status accept(const TpmFacts& facts, ByteView storage_key_name);

  TpmOptions options_;
  std::unique_ptr<TpmDevice> device_;  // its thread calls accept(), and ends before options_ do
};

}  // namespace chancery::hsm
