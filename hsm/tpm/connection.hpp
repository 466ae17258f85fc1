#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <chancery/result.hpp>

#include "hsm/key_backend.hpp"
#include "hsm/tpm/context_cache.hpp"
#include "hsm/tpm/esys_objects.hpp"
#include "hsm/tpm/tcti.hpp"

namespace chancery::hsm {

/// How commands that carry secrets are protected on their way to the TPM.
enum class SessionKind : std::uint8_t {
  kEncrypted,  ///< one salted HMAC session, AES-128-CFB parameter encryption both ways; the only one for devices
  kPlain,      ///< password authorization: auth values go in clear; simulators only
};

struct ConnectionOptions {
  TctiAddress address;
  SessionKind sessions = SessionKind::kEncrypted;
  std::size_t key_cache = 4096;
  const SecretBytes* master = nullptr;  ///< from which auth values are derived; borrowed
};

/// What a TPM says of itself.
struct TpmFacts {
  std::string manufacturer;
  std::string firmware;
  bool emulated = false;
};

/// Judges a TPM that was just met, by what it says of itself and the Name of its storage primary key.
using Acceptance = std::function<Status(const TpmFacts& facts, ByteView storage_key_name)>;

/// One working connection to one TPM: ESYS context, storage primary key, session, loaded keys. The device thread's
/// alone. Whoever meets an error that needs_recovery() throws it away and opens another.
class TpmConnection {
 public:
  /// Connects and makes ready: Startup(CLEAR); everything transient flushed where the TPM is ours alone; the storage
  /// primary key created; the session started, salted to that key.
  /// \param accept  judges the TPM and its storage key's Name (the pin) before any secret goes to it
  [[nodiscard]] static Result<std::unique_ptr<TpmConnection>> open(const ConnectionOptions& options, Deadline deadline,
                                                                   const Acceptance& accept);
  ~TpmConnection();
  TpmConnection(const TpmConnection&) = delete;
  TpmConnection& operator=(const TpmConnection&) = delete;

  /// For the commands that follow.
  void set_deadline(Deadline deadline) noexcept;

  [[nodiscard]] Result<StoredKey> create(const KeyBinding& binding);
  [[nodiscard]] Result<Signature> sign(const StoredKey& key, const Sha256Digest& digest);
  void forget(const StoredKey& key);
  /// Asks the TPM for its clock.
  [[nodiscard]] Status ping();

  [[nodiscard]] const TpmFacts& facts() const noexcept { return facts_; }
  [[nodiscard]] std::uint64_t live_objects() const noexcept { return storage_key_.live() + loaded_.has_value(); }
  [[nodiscard]] std::uint64_t live_sessions() const noexcept { return session_.live(); }
  /// Whether a deadline passed within a command: the TPM is there but does not answer.
  [[nodiscard]] bool timed_out() const noexcept { return tcti_->timed_out(); }
  /// Whether a command met an error after which this connection is of no more use.
  [[nodiscard]] bool broken() const noexcept { return broken_; }

 private:
  struct LoadedKey {
    Sha256Digest identity;
    TransientHandle handle;
  };

  explicit TpmConnection(const ConnectionOptions& options) : options_(options), contexts_(options.key_cache) {}

  [[nodiscard]] Status start(Deadline deadline);
  [[nodiscard]] Status flush_everything();
  [[nodiscard]] Status flush_handles(TPM2_HANDLE first);
  [[nodiscard]] Status read_facts();
  [[nodiscard]] Status create_storage_key(const Acceptance& accept);
  [[nodiscard]] Status start_session();
  [[nodiscard]] Status load(const StoredKey& key, const Sha256Digest& identity);
  [[nodiscard]] Result<TransientHandle> load_context(const Bytes& context);
  [[nodiscard]] Result<TransientHandle> load_blob(const StoredKey& key);
  void save_context(const Sha256Digest& identity, ESYS_TR handle);
  [[nodiscard]] Status authorize(ESYS_TR handle, const KeyBinding& binding);
  [[nodiscard]] ESYS_TR session() const noexcept { return session_.live() ? session_.get() : ESYS_TR_PASSWORD; }

  /// Runs a command until it no longer asks for patience; remembers whether the connection survived it.
  [[nodiscard]] Status command(const char* what, const std::function<TSS2_RC()>& run);

  const ConnectionOptions options_;
  Deadline deadline_{};
  bool broken_ = false;
  std::unique_ptr<DeadlineTcti> tcti_;
  EsysContext esys_;
  TransientHandle storage_key_;
  TransientHandle session_;
  std::optional<LoadedKey> loaded_;
  ContextCache contexts_;
  TpmFacts facts_;
};

}  // namespace chancery::hsm
