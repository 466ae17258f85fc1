#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <chancery/client.hpp>
#include <chancery/credential.hpp>

namespace chancery {

/// How a session reaches the daemon that renews it.
struct SessionOptions {
  ClientOptions daemon{};
  std::chrono::seconds lifetime{600};  ///< of each of its tokens; at most ten minutes
};

/// An agent's leaf, handed to a key in this process: the agent's hardware signs once in a while, and this key
/// signs the proof of each call. Renewed before it expires, by whichever call comes in its last third; calls go
/// on with what is there when the daemon is away, and end in kCredentialExpired when that has expired, never in
/// a wait longer than the client's time-out. Thread-safe.
class Session final : public Credential {
 public:
  /// Opens a session for the chain's last token, whose holder the daemon must know this process to be, or to
  /// have authority over.
  /// \return the session, or what the daemon said
  [[nodiscard]] static ClientResult<std::shared_ptr<const Session>> open(const SessionOptions& options,
                                                                         std::vector<std::string> chain);

  /// The session that `chancery run` started this program with, in the descriptor that CHANCERY_SESSION_FD names;
  /// it is closed. Call it once, before other programs are started.
  /// \return the session, or kNotFound (the variable is not set), kMalformed, kInvalidKey
  [[nodiscard]] static Result<std::shared_ptr<const Session>> inherited();

  ~Session() override;

  [[nodiscard]] Result<Presented> present(const std::string& method, const std::string& uri,
                                          const std::optional<std::string>& nonce) const override;

  /// Puts the session into a sealed file in memory, for a program that is started: nobody can change it, nothing
  /// of it is in an environment or on a disk.
  /// \return a descriptor that the caller closes, or kProcessFailed
  [[nodiscard]] Result<int> seal() const;

 private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace chancery
