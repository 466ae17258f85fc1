#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "hsm/key_backend.hpp"
#include "hsm/key_claimant.hpp"
#include "hsm/pkcs11/key_reference.hpp"
#include "hsm/pkcs11/token_owner.hpp"
#include "hsm/sealer.hpp"

namespace chancery::hsm {

struct Pkcs11Options {
  std::string name;                ///< of the `[[backend]]` section
  std::filesystem::path module;    ///< the vendor's library, absolute
  std::string serial;              ///< which token, by its serial number …
  std::string uri;                 ///< … or by a `pkcs11:` URI (RFC 7512) of its attributes; one of both
  std::filesystem::path pin_file;  ///< mode 0600; the systemd credential `chancery.pin.NAME` goes before it
  bool allow_simulator = false;
  std::size_t sessions = 4;
  std::size_t queue = 256;       ///< requests that may wait; those of one agent may fill half of it
  std::size_t key_cache = 4096;  ///< handles of keys that each session keeps
  /// For the first answer, in open(). A process of the module's own that is silent for three times as long is
  /// killed.
  std::chrono::milliseconds timeout{10'000};
  bool isolate = false;  ///< the module is loaded by a process of its own (IsolatedToken)
  std::filesystem::path owner_program = "/proc/self/exe";  ///< which calls run_owner_process()
  SecretBytes master;  ///< 32 octets from which the seal of the references is derived
};

/// Keys in a PKCS#11 token: made inside and kept by it, found by class, label and id. The store has
/// references that are sealed to the agent. Thread-safe.
///
/// That a key is sensitive and never extractable is the module's word, which is read back and held against
/// what was asked for, and told by claims(); unlike a TPM's evidence it proves nothing to others.
///
/// Each signature of a hardware token is verified before it leaves. A simulator signs as fast as we verify,
/// and its keys are software: there the first signature is verified that a session makes with a key that it
/// found, which binds the handle to the key, and one in 128 after it; once one of these was wrong, each.
///
/// Secrets are sealed by AES-256-GCM with a key that the token makes the first time, and keeps for good.
class Pkcs11Backend final : public KeyBackend, public KeyClaimant, public Sealer {
 public:
  /// What is wrong with the options, as far as it shows without the module.
  /// \return kInvalidArgument, kFileUnreadable and kFilePermissions (PIN)
  [[nodiscard]] static Status check_options(const Pkcs11Options& options);

  /// Opens the backend. A token that is absent, silent or does not take the PIN is no error: every use then
  /// fails with the reason, and all that needs no token goes on. A refused PIN above all must not end the
  /// process: whoever restarts it would have the PIN tried again, until the token locks itself. Waits for the
  /// first answer, at most `timeout`.
  /// \return the backend; kInvalidArgument (selection, master), kFileUnreadable and kFilePermissions (module,
  ///         PIN), kSimulatorRefused, kUnsupportedAlgorithm
  [[nodiscard]] static Result<std::unique_ptr<Pkcs11Backend>> open(Pkcs11Options options);

  /// A token keeps what it makes: a key whose StoredKey is dropped remains there until destroy().
  Result<StoredKey> create(const KeyBinding& binding, Algorithm algorithm, Deadline deadline) override;
  Result<Signature> sign(const StoredKey& key, ByteView message, Deadline deadline) override;
  /// Removes both halves from the token, and fails when the token is not there.
  Status destroy(const StoredKey& key, Deadline deadline) override;
  Status discard(const KeyBinding& binding, Deadline deadline) override;
  /// kConflict: a key names its token, so another token needs no adoption.
  Status adopt(const std::function<Status(ByteView name)>& keep) override;
  Status check(Deadline deadline) override;
  Result<std::vector<Fact>> facts(Deadline deadline) override;
  /// Of the key whose public half the token has as it was when it was made.
  Result<attest::KeyClaims> claims(const StoredKey& key, Deadline deadline) override;
  [[nodiscard]] KeyClaimant* claimant() noexcept override { return this; }
  /// kUnsupportedAlgorithm where the token does not offer AES-GCM.
  Result<Bytes> seal(const KeyBinding& binding, const SecretBytes& secret, Deadline deadline) override;
  Result<SecretBytes> unseal(const KeyBinding& binding, ByteView sealed, Deadline deadline) override;
  [[nodiscard]] Sealer* sealer() noexcept override { return this; }
  [[nodiscard]] BackendInfo describe() const override;
  [[nodiscard]] BackendLoad load() const override { return token_->load(); }

 private:
  Pkcs11Backend(const Pkcs11Options& options, std::unique_ptr<TokenOwner> token)
      : name_(options.name),
        allow_simulator_(options.allow_simulator),
        seal_(options.master),
        token_(std::move(token)) {}

  const std::string name_;
  const bool allow_simulator_;
  std::atomic<bool> is_distrusted_ = false;  // it gave a wrong signature out of a sample
  const ReferenceSeal seal_;
  const std::unique_ptr<TokenOwner> token_;
};

}  // namespace chancery::hsm
