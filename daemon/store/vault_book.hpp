#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "daemon/store/store.hpp"

namespace chancery::store {

/// The key that wraps the data keys of credentials, as a device has sealed it.
struct SealedVaultKey {
  std::string backend;  ///< name of the `[[backend]]` whose device opens it
  std::string key_id;   ///< of the binding under which it was sealed
  Bytes sealed;
  sys_seconds made_at{};
  bool operator==(const SealedVaultKey&) const = default;
};

/// What a version of a credential is good for.
enum class VersionState : std::uint8_t {
  kPending,   ///< waits to be activated
  kActive,    ///< is what is released
  kRetiring,  ///< stays what the open uses took, until they end or its time is over
  kRevoked,   ///< erased
};

/// "pending", "active", "retiring" or "revoked".
[[nodiscard]] std::string_view version_state_name(VersionState state) noexcept;

/// One value that a credential has, had or is to have.
struct CredentialVersion {
  std::int64_t number = 0;  ///< from 1
  VersionState state = VersionState::kPending;
  sys_seconds created_at{};
  std::optional<sys_seconds> expires_at{};    ///< from when on it is not released; none: never
  std::optional<sys_seconds> activated_at{};  ///< none: it never was
  std::optional<sys_seconds> retire_at{};     ///< of one that is retiring: when it is revoked at the latest
  std::optional<sys_seconds> revoked_at{};
  std::optional<sys_seconds> last_used_at{};
  std::uint64_t uses = 0;       ///< how often it was released
  std::uint64_t open_uses = 0;  ///< of which have not ended; read with the credential
  bool operator==(const CredentialVersion&) const = default;
};

/// What stands for a secret that somebody else gave, and to whom it may be released.
struct Credential {
  std::string id;    ///< 32 hexadecimal digits, random
  std::string name;  ///< as an agent's
  std::string type;
  std::string issuer{};            ///< by name, who issues its values; empty: they are kept
  std::string scope;               ///< under which it may be used
  std::vector<std::string> tools;  ///< for which it is released, ordered
  std::string owner;               ///< empty: not said
  std::string environment;         ///< empty: not said
  sys_seconds created_at{};
  bool rotate_on_hit = false;
  std::int64_t revision = 0;                  ///< one more with every change but a use
  std::vector<CredentialVersion> versions{};  ///< oldest first
  bool operator==(const Credential&) const = default;

  /// nullptr when it has none in that state.
  [[nodiscard]] const CredentialVersion* version_in(VersionState state) const noexcept;
};

/// A version's value under a data key of its own, and that under the vault's key: as daemon/vault/envelope makes it.
struct Envelope {
  Bytes data_key;
  Bytes value;
  bool operator==(const Envelope&) const = default;
};

struct NewVersion {
  CredentialVersion version;  ///< kPending or kActive
  Envelope envelope;
  /// Of one that is active at once: until when the version that was active before it may be used.
  sys_seconds retire_former_at{};
};

struct ResealedVersion {
  std::int64_t number = 0;
  Envelope envelope;
};

/// That a version was released to somebody, who says when the use has ended.
struct CredentialUse {
  std::string credential;  ///< its id
  std::int64_t version = 0;
  std::string id;       ///< of the use, unique
  sys_seconds until{};  ///< when it counts for ended at the latest
};

struct RetiringVersion {
  std::string credential;  ///< its id
  std::string name;        ///< the credential's
  std::int64_t number = 0;
  std::uint64_t open_uses = 0;  ///< that did not end in its time
};

struct VaultCounts {
  std::uint64_t pending = 0;
  std::uint64_t active = 0;
  std::uint64_t retiring = 0;
  std::uint64_t revoked = 0;
  std::optional<sys_seconds> oldest_active{};  ///< when the oldest version that is active was made
};

/// Keeps credentials, whose values it sees under envelopes alone. Thread-safe.
///
/// What a caller changes it has read before: `read.revision` is what it has seen, and where the credential was changed
/// since, the call is kConflict (`kChangedMeanwhile`) and nothing happens. A version that is revoked has lost its envelope,
/// in the file and in the write-ahead log, when the call returns. Each mutation returns the sequence of its audit entry.
/// Errors common to all: the store's (see Store).
class VaultBook {
 public:
  virtual ~VaultBook() = default;

  // --- the vault's key

  virtual Result<std::optional<SealedVaultKey>> key() = 0;
  /// \return kConflict when there is one
  virtual Result<std::uint64_t> keep_key(const SealedVaultKey& key, const AuditEntry& audit) = 0;
  /// Forgets the key, revokes every version that there is and ends every grant of an issuer: nobody opens them any more.
  virtual Result<std::uint64_t> reset(sys_seconds now, const AuditEntry& audit) = 0;

  // --- credentials

  /// kNotFound.
  virtual Result<Credential> find(std::string_view name, sys_seconds now) = 0;
  /// By name, at most `limit` (1 to kMaxPage) behind `after`.
  virtual Result<std::vector<Credential>> list(std::size_t limit, std::string_view after,
                                               sys_seconds now) = 0;
  /// kNotFound when there is no such version, or it is revoked.
  virtual Result<Envelope> envelope(std::string_view credential, std::int64_t version) = 0;

  /// \param credential  with one version, which is active
  /// \return kConflict when the name is taken
  virtual Result<std::uint64_t> add(const Credential& credential, const Envelope& envelope,
                                    const AuditEntry& audit) = 0;
  /// The next version; one that is active at once makes the active one retire, as activate() does.
  /// \return kConflict when another is pending, and as activate()
  virtual Result<std::uint64_t> add_version(const Credential& read, const NewVersion& next,
                                            const AuditEntry& audit) = 0;
  /// Writes type, scope, tools, owner, environment and `rotate_on_hit`.
  /// \param resealed  every version that is not revoked
  virtual Result<std::uint64_t> change(const Credential& read, const Credential& changed,
                                       const std::vector<ResealedVersion>& resealed,
                                       const AuditEntry& audit) = 0;
  /// Makes the pending version the active one, and the active one retire.
  /// \param retire_at  when the former one is revoked at the latest
  /// \return kConflict when none is pending, or another still retires that has open uses
  virtual Result<std::uint64_t> activate(const Credential& read, sys_seconds now, sys_seconds retire_at,
                                         const AuditEntry& audit) = 0;
  /// \param version  0: all of them
  /// \return kNotFound when there is no such version, kConflict when there is nothing to revoke
  virtual Result<std::uint64_t> revoke(const Credential& read, std::int64_t version, sys_seconds now,
                                       const AuditEntry& audit) = 0;

  // --- uses

  /// Notes a release of the active version.
  /// \return kConflict when the credential is not what was read any more, or the use's id is known
  virtual Result<std::uint64_t> take_use(const Credential& read, const CredentialUse& use, sys_seconds now,
                                         const AuditEntry& audit) = 0;
  /// Succeeds when there is none, too.
  virtual Status end_use(std::string_view id) = 0;

  /// Retiring versions that no open use holds, or whose time is over; at most kMaxPage.
  virtual Result<std::vector<RetiringVersion>> idle(sys_seconds now) = 0;
  /// Revokes one of those. \return kConflict when it is none of them
  virtual Result<std::uint64_t> retire(const RetiringVersion& version, sys_seconds now,
                                       const AuditEntry& audit) = 0;
  /// Forgets uses whose time is over.
  virtual Status prune(sys_seconds now) = 0;

  virtual Result<VaultCounts> counts() = 0;
};

inline constexpr Error kNoSuchCredential{
    ErrorCode::kNotFound, "no such credential: `chancery vault list` shows those that there are"};
inline constexpr Error kChangedMeanwhile{
    ErrorCode::kConflict, "the credential was changed by somebody else meanwhile: look at it and try again"};

}  // namespace chancery::store
