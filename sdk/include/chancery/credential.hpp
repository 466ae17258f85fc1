#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/keys.hpp>
#include <chancery/proof.hpp>
#include <chancery/result.hpp>
#include <chancery/token.hpp>

namespace chancery {

/// A private key that is not in this process's memory but in a TPM, a token or a key service, for programs that
/// have keys of their own there.
///
/// Both functions are called from any thread, also at the same time, and throw nothing. sign() is waited for as long
/// as it takes, beyond the time-out of the call that the signature is for: it must end by itself.
class Signer {
 public:
  virtual ~Signer() = default;

  /// Always the same.
  [[nodiscard]] virtual const PublicKey& public_key() const noexcept = 0;

  /// \param message  borrowed for the call only; ES256 signs its SHA-256, Ed25519 the message itself
  /// \return the signature as it stands in a JWS (raw r‖s for ES256), or any error, which goes as it is to whoever
  ///         wanted the signature; kDeviceUnavailable and its neighbours are meant for it
  [[nodiscard]] virtual Result<Signature> sign(ByteView message) const = 0;
};

/// The private key of a caller from elsewhere: an operator's, or one that lives as long as a session; in this
/// process's memory, or with a Signer. An agent's own key stays in the daemon's hardware and is never one of these.
/// Thread-safe; copies share the key.
class HolderKey {
 public:
  [[nodiscard]] static Result<HolderKey> generate(Algorithm algorithm = Algorithm::kES256);

  /// A key that `signer` holds. Every signature of it is verified before it is used.
  /// \return the key, or kInvalidArgument (no signer), kInvalidKey (its public key is none)
  [[nodiscard]] static Result<HolderKey> held_by(std::shared_ptr<const Signer> signer);

  /// Reads a private key in PEM (PKCS #8, unencrypted).
  /// \return the key, or kFileUnreadable, kFilePermissions (others than its owner may read the file),
  ///         kInvalidKey, kUnsupportedAlgorithm
  [[nodiscard]] static Result<HolderKey> load(const std::string& path);

  /// Writes the key to a new file that its owner alone may read (0600). It is as safe as that file.
  /// \return kConflict when there is one, kFileUnwritable, kInvalidArgument for a key that a signer holds
  [[nodiscard]] Status save(const std::string& path) const;

  /// The same text in memory, to be handed to a program that is started: see Session. What a signer holds cannot be
  /// had: a program is given a session, whose key is in memory.
  [[nodiscard]] static Result<HolderKey> from_pem(ByteView pem);
  [[nodiscard]] Result<SecretBytes> pem() const;

  [[nodiscard]] const PublicKey& public_key() const noexcept;

  /// \return the signature over `message` as it stands in a JWS; kCryptoFailure; with a signer its error, or
  ///         kKeyMismatch when what it gave is no signature of its key
  [[nodiscard]] Result<Signature> sign(ByteView message) const;

 private:
  struct Impl;
  explicit HolderKey(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

/// A chain, and the key that holds its last token: what its holder calls with and delegates from.
struct HeldChain {
  std::vector<std::string> chain;  ///< compact tokens, root first
  HolderKey key;
};

/// What goes with one request: a chain, and the proof that its sender holds it.
struct Presented {
  std::vector<std::string> chain;  ///< compact tokens, root first
  std::string proof;               ///< a DPoP proof for the last of them
};

/// What a caller shows with each request that it makes (RFC 9449). Thread-safe.
class Credential {
 public:
  virtual ~Credential() = default;

  /// \param nonce  the one that the server gave, if it gave one
  /// \return chain and fresh proof, which belong together; kCredentialExpired, and why there is no other; what
  ///         HolderKey::sign() says
  [[nodiscard]] virtual Result<Presented> present(const std::string& method, const std::string& uri,
                                                  const std::optional<std::string>& nonce) const = 0;
};

/// The credential of a chain that this key holds. It reads the system's clock, for proofs and to
/// tell an expired chain from one that is refused.
/// \return kMalformed when the last token cannot be read, kNotHolder when the key is not its `cnf.jkt`
[[nodiscard]] Result<std::shared_ptr<const Credential>> credential_of(std::vector<std::string> chain,
                                                                      HolderKey key);

/// Signs a proof for one request to any server; with `claims.ada` it is good for one action only.
/// \param leaf  the chain's last token, which `key` holds
/// \param claims  without `jti` a random one is taken
/// \param now  whole seconds UTC
/// \return the compact `dpop+jwt`; kInvalidArgument, and what HolderKey::sign() says
[[nodiscard]] Result<std::string> prove_with(const HolderKey& key, std::string_view leaf, ProofClaims claims,
                                             std::chrono::sys_seconds now);

/// What a process shows to join with: see Client::join().
[[nodiscard]] std::shared_ptr<const Credential> join_credential(std::string token, HolderKey key);

/// Delegates from a chain that `key` holds: the greatest child that request and parent allow, signed with it.
/// Asks no daemon, and verifies only what it must know to narrow; whoever receives the chain verifies it.
/// \param now  whole seconds UTC
/// \return the longer chain; kMalformed, kNotHolder, and what attenuate() and HolderKey::sign() say
[[nodiscard]] Result<std::vector<std::string>> delegate_with(const HolderKey& key,
                                                             std::span<const std::string> chain,
                                                             const DelegationRequest& request,
                                                             std::chrono::sys_seconds now);

}  // namespace chancery
