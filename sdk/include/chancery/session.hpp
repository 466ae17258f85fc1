#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <chancery/client.hpp>
#include <chancery/credential.hpp>

namespace chancery {

/// How a session reaches the daemon that renews it.
struct SessionOptions {
  ClientOptions daemon{};
  /// Authority to use the agent's key, for a process that the daemon does not see: its credential, in the place
  /// of `daemon.credential`, and that of the programs that the session is handed to. Client::join() gives it.
  std::optional<HeldChain> access{};
  std::chrono::seconds lifetime{600};  ///< of each of its tokens; at most ten minutes
};

/// An agent's leaf, handed to a key in this process: the agent's hardware signs once in a while, and this key
/// signs the proof of each call. Renewed before it expires, by whichever call comes in its last third, while others
/// go on with what is there. So does that call when the daemon is away, which is then left alone for a sixtieth of
/// the lifetime. Calls end in kCredentialExpired when what is there has expired, never in a wait longer than the
/// client's time-out. Thread-safe.
class Session final : public Credential {
 public:
  /// Opens a session for the chain's last token, whose holder the daemon must know this process to be, or to
  /// have authority over.
  /// \return the session, or what the daemon said; what credential_of() says of `options.access`
  [[nodiscard]] static ClientResult<std::shared_ptr<const Session>> open(const SessionOptions& options,
                                                                         std::vector<std::string> chain);

  /// The session that `chancery run` started this program with, in the descriptor that CHANCERY_SESSION_FD names;
  /// it is closed. Call it once, before other programs are started. It renews itself by the access that the
  /// program was given, or as a process that the daemon sees on its socket.
  /// \return the session, or kNotFound (the variable is not set), kMalformed, kInvalidKey
  [[nodiscard]] static Result<std::shared_ptr<const Session>> inherited();

  /// Opens another session for the same chain, with a key of its own: verifiers remember so many proofs of one key and
  /// no more. This one stays as it is, and the calls that were begun with it are good.
  /// \param stop  gives it up, as Client::open_session() says
  /// \return as open()
  [[nodiscard]] ClientResult<std::shared_ptr<const Session>> another(const std::stop_token& stop = {}) const;

  /// Whether inherited() made it: others may have its key, too.
  [[nodiscard]] bool was_handed_over() const noexcept;

  ~Session() override;

  [[nodiscard]] Result<Presented> present(const std::string& method, const std::string& uri,
                                          const std::optional<std::string>& nonce) const override;

  /// The same with a proof that says more, such as the one action (`ada`) that it is good for.
  /// \param stop  ends waiting for the session's renewal: then it goes on with what is there
  [[nodiscard]] Result<Presented> present(const ProofClaims& claims, const std::stop_token& stop = {}) const;

  /// How it calls the daemon, with its access as the credential: for other calls by the same process.
  [[nodiscard]] const SessionOptions& options() const noexcept;

  /// Puts the session, and its access, into a sealed file in memory, for a program that is started: nobody can change
  /// it, nothing of it is in an environment or on a disk. Another credential of `options.daemon` stays here.
  /// \return a descriptor that the caller closes, or kProcessFailed; kInvalidArgument when a signer holds the key of
  ///         `options.access`, which then cannot be handed on
  [[nodiscard]] Result<int> seal() const;

 private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace chancery
