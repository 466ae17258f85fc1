#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <chancery/result.hpp>

#include "hsm/key_backend.hpp"
#include "hsm/tpm/esys_objects.hpp"
#include "hsm/tpm/tcti.hpp"

namespace chancery::hsm {

/// How commands that carry secrets are protected on their way to the TPM.
enum class SessionKind : std::uint8_t {
  kEncrypted,  ///< one salted HMAC session, AES-128-CFB parameter encryption both ways; the only one for
               ///< devices
  kPlain,      ///< password authorization: auth values go in clear; simulators only
};

/// What a TPM says of itself.
struct TpmFacts {
  std::string manufacturer;
  std::string firmware;
  bool emulated = false;
};

/// Judges a TPM that was just met, by what it says of itself and the Name of its storage primary key.
using Acceptance = std::function<Status(const TpmFacts& facts, ByteView storage_key_name)>;

struct ConnectionOptions {
  TctiAddress address;
  SessionKind sessions = SessionKind::kEncrypted;
  std::chrono::milliseconds time_limit{10'000};  ///< for one command; a TPM that takes longer is given up
  Acceptance accept;                             ///< asked before any secret goes to the TPM
};

/// One working connection to one TPM: ESYS context, storage primary key, session. The device thread's alone.
/// Whoever finds it broken() throws it away and opens another.
class TpmConnection {
 public:
  /// Connects and makes ready: Startup(CLEAR); everything transient flushed where the TPM is ours alone; the
  /// storage primary key created and its Name judged by `options.accept`; the session started, salted to that
  /// key.
  /// \param options,interrupt,live  must outlive the connection
  /// \return the connection; kDeviceUnavailable, kDeviceTimeout, kDeviceError, or what `accept` says
  [[nodiscard]] static Result<std::unique_ptr<TpmConnection>> open(const ConnectionOptions& options,
                                                                   const Interrupt& interrupt,
                                                                   LiveCounts& live);

  /// From when on commands are no longer begun.
  void set_deadline(Deadline deadline) noexcept { deadline_ = deadline; }

  /// Runs one command of the TPM, again while it asks for patience and the deadline allows, and notes whether
  /// the connection survived it. A command that is under way is awaited beyond the deadline, up to the time
  /// limit: giving up means to connect anew, which on a chip takes longer than most commands.
  /// \param what  what to do if it fails, a literal
  [[nodiscard]] Status command(const char* what, const std::function<TSS2_RC()>& run);
  /// What the TPM says of TPM2_CAP_HANDLES or TPM2_CAP_TPM_PROPERTIES, `count` values at most from `first` on. ESYS takes
  /// the answer for what it calls itself: one of another capability would be read beyond its end, and is an error.
  [[nodiscard]] Result<EsysOwned<TPMS_CAPABILITY_DATA>> capability(const char* what, TPM2_CAP which,
                                                                   std::uint32_t first, std::uint32_t count);

  /// Brings the storage key in from its saved context. It is not kept: a TPM has three places, and the
  /// kernel's resource manager saves and restores each of them around every command.
  [[nodiscard]] Result<TransientHandle> load_storage_key();
  [[nodiscard]] Result<TransientHandle> load_context(const TPMS_CONTEXT& context);
  [[nodiscard]] Result<EsysOwned<TPMS_CONTEXT>> save_context(ESYS_TR object);

  /// Whether an error may come of a session that has fallen out of step, which looks like a wrong auth value. "Lost" is
  /// for good: a fresh session must say so too.
  [[nodiscard]] bool is_in_doubt(const Error& error) const noexcept;
  /// Ends the session and starts another.
  [[nodiscard]] Status renew_session();

  /// A second HMAC session, salted as the first, for commands that take two authorizations; none where the first is
  /// plain. It encrypts nothing: of two sessions only one may.
  [[nodiscard]] Result<TransientHandle> start_second_session();
  /// A policy session under SHA-256, without salt: what is told to it is no secret.
  [[nodiscard]] Result<TransientHandle> start_policy_session();
  /// The same, salted to the storage key, so that an HMAC protects the command that it authorizes, and the answer. It
  /// encrypts nothing: a policy may be about the very octets of a command.
  [[nodiscard]] Result<TransientHandle> start_gate_session();
  /// Takes a session out of the TPM's few places; it stays active there. \param session  is none afterwards
  [[nodiscard]] Result<EsysOwned<TPMS_CONTEXT>> save_session(TransientHandle& session);
  /// Brings a session back, which can be done once.
  [[nodiscard]] Result<TransientHandle> load_session(const TPMS_CONTEXT& context);
  /// The public area of the storage key.
  [[nodiscard]] const TPM2B_PUBLIC& storage_key_area() const noexcept { return storage_area_; }

  /// Cleanses what the TPM software stack keeps of the auth value that was used last. Asks the TPM nothing.
  void forget_authorization() { forget_authorization(session_.get()); }
  /// The same for another session that was used with one.
  void forget_authorization(ESYS_TR session);

  /// Asks the TPM for its clock.
  [[nodiscard]] Status ping();

  [[nodiscard]] ESYS_CONTEXT* esys() noexcept { return esys_.get(); }
  /// What authorizes a command: the session, or the password session of ESYS.
  [[nodiscard]] ESYS_TR session() const noexcept {
    return session_.live() ? session_.get() : ESYS_TR_PASSWORD;
  }
  /// Takes charge of an object that a command has just loaded.
  [[nodiscard]] TransientHandle own_object(ESYS_TR handle) noexcept {
    return {*esys_, handle, live_.objects};
  }

  [[nodiscard]] const TpmFacts& facts() const noexcept { return facts_; }
  [[nodiscard]] bool is_simulator() const noexcept {
    return options_.address.kind == TctiAddress::Kind::kSwtpm;
  }
  /// Whether it is of no more use: a command met an error that needs_recovery(), something could not be
  /// flushed, or the other side is gone.
  [[nodiscard]] bool broken() const noexcept {
    return broken_ || live_.objects.flush_failed || live_.sessions.flush_failed || !tcti_->connected();
  }

 private:
  TpmConnection(const ConnectionOptions& options, const Interrupt& interrupt, LiveCounts& live)
      : options_(options), interrupt_(interrupt), live_(live) {}

  [[nodiscard]] Status start();
  [[nodiscard]] Status flush_leftovers();
  [[nodiscard]] Status flush_handles(TPM2_HANDLE first);
  [[nodiscard]] Status read_facts();
  [[nodiscard]] Result<TransientHandle> create_storage_key();
  [[nodiscard]] Status accept(const TransientHandle& storage_key);
  [[nodiscard]] Status start_session(const TransientHandle& storage_key);
  [[nodiscard]] Result<TransientHandle> new_session(ESYS_TR salt_key, TPM2_SE type, TPMA_SESSION attributes);

  const ConnectionOptions& options_;
  const Interrupt& interrupt_;
  LiveCounts& live_;
  Deadline deadline_ = Deadline::max();
  bool broken_ = false;
  TpmFacts facts_;
  std::unique_ptr<DeadlineTcti> tcti_;  // before what talks over it, so that it ends last
  EsysContext esys_;
  TPM2B_PUBLIC storage_area_{};
  EsysOwned<TPMS_CONTEXT> storage_context_;
  TransientHandle session_;
};

/// Runs `work` once more with a fresh session when a refusal may be the session's fault.
template <typename Work>
Status run_beyond_doubt(TpmConnection& tpm, Work work) {
  const Status done = work();
  if (done || !tpm.is_in_doubt(done.error())) return done;
  CHANCERY_TRY(tpm.renew_session());
  return work();
}

}  // namespace chancery::hsm
