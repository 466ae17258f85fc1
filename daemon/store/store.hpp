#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/keys.hpp>
#include <chancery/result.hpp>

#include "daemon/store/state_space.hpp"
#include "hsm/key_backend.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::store {

using std::chrono::sys_seconds;

/// Where in its life a key is (docs/operations/keys.md draws the ways from one to the next).
enum class KeyState : std::uint8_t {
  kActive,    ///< signs; each owner has one at most
  kRotating,  ///< followed by a newer one, and serves what was issued to it until its overlap ends
  kRetired,   ///< ended in good order, and destroyed in its device
  kLost,      ///< its device no longer opens it
  kRevoked,   ///< ended by the operator, and chains through it are denied
};

/// "active", "rotating", "retired", "lost" or "revoked", as the API and the audit log spell it.
[[nodiscard]] std::string_view key_state_name(KeyState state) noexcept;

/// Whether a key's life knows the way from one state to the other.
[[nodiscard]] bool may_become(KeyState from, KeyState to) noexcept;

/// The owner of the keys that sign DT_0.
inline constexpr std::string_view kIssuer = "issuer";
/// The owner of the keys that sign status lists.
inline constexpr std::string_view kStatusLists = "status";

/// The owner of the keys that sign attestation results.
inline constexpr std::string_view kAttestation = "attestation";

/// The owner of the keys that sign checkpoints of the audit log.
inline constexpr std::string_view kAudit = "audit";

/// The owner of the keys that sign what is told to webhooks.
inline constexpr std::string_view kWebhook = "webhook";

inline constexpr std::array kDaemonOwners{kIssuer, kStatusLists, kAttestation, kAudit, kWebhook};

/// Begins the owner of the issuer keys behind a gate that a TPM enforces: the gate's name follows.
inline constexpr std::string_view kGateOwner = "gate/";

/// Whether keys of that owner are the daemon's own, and no agent's.
[[nodiscard]] constexpr bool is_daemons(std::string_view owner) noexcept {
  return owner.starts_with(kGateOwner) || std::ranges::find(kDaemonOwners, owner) != kDaemonOwners.end();
}

struct ApprovalUse;

/// The reason of a key that is lost because another device answers in place of its own; it serves again
/// when that is back.
inline constexpr std::string_view kOtherDevice = "wrong_device";

/// A key in its device.
struct Key {
  std::string owner;      ///< an agent's id, or what a key of the daemon's own is for: is_daemons()
  std::string backend;    ///< name of the `[[backend]]` section that made it
  hsm::StoredKey stored;  ///< without a blob once it was destroyed
  KeyState state = KeyState::kActive;
  std::string reason{};  ///< of a lost or revoked one: an error's name, or the operator's words
  sys_seconds created_at{};
  std::optional<sys_seconds> overlap_until{};  ///< of a rotating one
  std::optional<sys_seconds> ended_at{};       ///< when it became retired or revoked
  std::optional<sys_seconds> destroyed_at{};   ///< when its device had destroyed it, and no longer signed
};

/// An agent and one key of its: the newest, or the one by which it was found.
struct Agent {
  std::string id;         ///< 32 lower-case hexadecimal digits, random; never reused
  std::string name;       ///< unique among agents that are not retired
  std::string selectors;  ///< canonical JSON
  sys_seconds created_at{};
  std::optional<sys_seconds> retired_at{};
  bool is_rotating = false;  ///< whether an earlier key of its still serves
  Key key;                   ///< `key.owner` and `key.stored.binding.agent_id` repeat `id`
};

/// What is about to be done to a key in a device. It is noted before, and struck out in the transaction that
/// records the result: what a process leaves behind when it is killed in between is found by it.
struct KeyIntent {
  enum class Kind : std::uint8_t {
    kMake,     ///< make the owner's first key, or one in place of a lost one; given up after a crash
    kRotate,   ///< make the one that follows; done again after a crash
    kDestroy,  ///< destroy it in its device; done again after a crash
  };
  Kind kind = Kind::kMake;
  std::string backend;
  std::string owner;
  std::string key_id;
  std::chrono::seconds overlap{0};  ///< of kRotate
  Algorithm algorithm = Algorithm::kES256;
};

/// Tokens that can no longer be used when a key ends.
struct EndedTokens {
  std::uint64_t held = 0;              ///< of this key, not expired
  std::uint64_t descendants = 0;       ///< delegated from those, not expired
  std::optional<sys_seconds> until{};  ///< when the last of them would have expired
  std::vector<std::string> agents{};   ///< names of the agents that hold descendants, at most kMaxPage
};

/// Where a token's status is published.
struct StatusPlace {
  std::uint64_t list = 0;
  std::uint64_t index = 0;
  bool operator==(const StatusPlace&) const = default;
};

/// A token that this daemon signed, or that somebody delegated offline from such a one (StatusBook::adopt).
struct IssuedToken {
  std::string id;  ///< SHA-256 of the JWS Signing Input, 64 lower-case hexadecimal digits
  std::string jti;
  std::optional<std::string> parent_id{};  ///< none for DT_0; a parent need not have been issued here
  Thumbprint holder;                       ///< `cnf.jkt`
  std::optional<std::string> agent_id{};   ///< of ours, whose key the holder is, or its process's in memory
  std::string principal;                   ///< `sub`
  sys_seconds issued_at{};
  sys_seconds expires_at{};
  std::string compact;
  std::optional<StatusPlace>
      status{};  ///< one that StatusBook::allocate() gave; none for a short-lived token
  std::string
      gate{};  ///< of DT_0: that all that is done under it is behind; written only, GateBook::gate_of() reads it
  const ApprovalUse* approved =
      nullptr;  ///< that it uses up, else kConflict and nothing is recorded; borrowed, written only
  bool operator==(const IssuedToken&) const = default;
};

/// What an effect leaves in the audit log.
struct AuditEntry {
  sys_seconds at{};
  std::string action;  ///< what was done or asked for, such as "agent.create"; never empty
  /// The other members of the entry (docs/protocol/audit.md), without `v` and `policy`, which the log adds.
  json::Node members = json::Node::object();
  std::vector<std::string> refs{};  ///< identifiers by which the entry is found again
  /// The key that shows who acts. Of one of an agent here the entry gets the member `agent`.
  std::optional<Thumbprint> by_key{};
  bool* is_recorded = nullptr;  ///< borrowed; set once the entry stands in the log
};

/// An audit entry as it was recorded.
struct AuditRecord {
  std::uint64_t sequence = 0;  ///< 1, 2, 3 … without gaps
  sys_seconds at{};
  std::string json;  ///< in JCS: the octets that the leaf of the log's tree is over
  bool operator==(const AuditRecord&) const = default;
};

/// One page of the agents that are not retired, in the order of their registration.
struct AgentQuery {
  std::size_t limit = 100;  ///< 1 … kMaxPage
  std::string after{};      ///< id of the last agent of the page before; empty for the first page
};

/// The same in the order of their names.
struct AgentNameQuery {
  std::size_t limit = 100;  ///< 1 … kMaxPage
  std::string prefix{};     ///< of the names that are wanted; empty: of all
  std::string
      after{};  ///< name of the last agent of the page before, whether there is one; empty for the first page
};

struct StoreCounts {
  std::uint64_t active_agents = 0;
  std::uint64_t retired_agents = 0;
  std::uint64_t lost_agents = 0;  ///< whose newest key is lost or revoked
  std::uint64_t keys = 0;         ///< of agents and the daemon's own, whatever their state
  std::uint64_t tokens = 0;
  std::uint64_t audit_entries = 0;
  bool operator==(const StoreCounts&) const = default;
};

/// The most that one call lists.
inline constexpr std::size_t kMaxPage = 1000;

/// Keeps what the daemon must remember. Thread-safe; calls wait for the disk, so never call it from an I/O
/// thread. A mutation and its audit entry are one transaction: when the call has returned a sequence, both
/// survive `kill -9` and a power cut; when it has returned an error, neither may be relied on.
///
/// Errors common to all: kStoreUnavailable (disk full, read-only, busy, I/O), kStoreCorrupt, both with the
/// store's own code; kInvalidArgument for an empty audit entry, a malformed identifier or a page beyond
/// kMaxPage. tests/unit/daemon/store_contract.cpp holds what every implementation must pass.
class Store {
 public:
  virtual ~Store() = default;

  /// Takes records of agents and keys only if they are sealed with this secret, and seals them with it; the
  /// others are kStoreCorrupt when they are asked for. Before anything else; a store that was given none
  /// notices only what was changed by accident.
  /// \return how many records are not sealed so
  virtual Result<std::size_t> seal_with(SecretBytes secret) = 0;

  // Every mutation returns the sequence of its audit entry.

  /// Registers an agent with its first key. kConflict when its name is in use, or its id or key is known.
  virtual Result<std::uint64_t> add_agent(const Agent& agent, const AuditEntry& audit) = 0;

  /// Ends an agent for good, all its keys that have not ended, and its tokens: see change_key. kNotFound;
  /// kRetired when it was ended before.
  virtual Result<std::uint64_t> retire_agent(std::string_view id, const AuditEntry& audit) = 0;

  /// Adds a key, which becomes its owner's newest; the active one before it rotates. A lost issuer key before
  /// it stays lost, and its overlap begins: what it signed counts so long. kConflict when the key
  /// is known already; of an agent's, kNotFound and kRetired.
  /// \param overlap_until  how long the one before it serves
  virtual Result<std::uint64_t> add_key(const Key& key, sys_seconds overlap_until,
                                        const AuditEntry& audit) = 0;

  /// The same of a gate's key, which is kept with the keys of the approvers whose signatures open it.
  /// \param approvers  thumbprints, one at least
  virtual Result<std::uint64_t> add_gate_key(const Key& key, const std::vector<Thumbprint>& approvers,
                                             sys_seconds overlap_until, const AuditEntry& audit) = 0;

  /// Moves a key on in its life. One that is retired or revoked is noted as to be destroyed, and the tokens
  /// that it holds are revoked with all that was delegated from them. kNotFound; kConflict when there is no
  /// way from its state to this one.
  /// \param reason  of a lost or revoked key
  virtual Result<std::uint64_t> change_key(const Thumbprint& key, KeyState state, std::string_view reason,
                                           const AuditEntry& audit) = 0;

  /// Moves all keys of a backend that serve to kLost, for the reason kOtherDevice. kNotFound when there are
  /// none.
  virtual Result<std::uint64_t> lose_keys(std::string_view backend, const AuditEntry& audit) = 0;

  /// Lets the keys of a backend that were lost for that reason serve again. kNotFound when there are none.
  virtual Result<std::uint64_t> recover_keys(std::string_view backend, const AuditEntry& audit) = 0;

  /// Notes that a device has destroyed a key, and erases its blob. kNotFound when that was not intended.
  virtual Result<std::uint64_t> key_destroyed(const KeyIntent& intent, const AuditEntry& audit) = 0;

  /// Remembers by which Name (hexadecimal) a backend's device is known. kConflict when one is remembered.
  virtual Result<std::uint64_t> pin_backend(std::string_view backend, std::string_view device_name,
                                            const AuditEntry& audit) = 0;

  /// Remembers another device for a backend, and that its keys which serve, or were lost because of this
  /// device, are lost for good, for this reason. kNotFound when none was remembered.
  virtual Result<std::uint64_t> replace_backend(std::string_view backend, std::string_view device_name,
                                                std::string_view reason, const AuditEntry& audit) = 0;

  /// Remembers by which value, 64 hexadecimal digits, the master secret is known. kConflict when one is
  /// remembered.
  virtual Result<std::uint64_t> pin_master(std::string_view value, const AuditEntry& audit) = 0;

  /// Seals the records that a former version left without a seal, and remembers the master secret by this value
  /// from now on. kNotFound when none is remembered.
  virtual Result<std::uint64_t> seal_former_records(std::string_view master_pin, const AuditEntry& audit) = 0;

  /// Records a token, before it is answered to anybody, provided that the keys that it concerns serve still:
  /// they may be ended while the device signs. Nor may its parent have been revoked or suspended meanwhile
  /// (kParentDenied), or its agent, key or principal be suspended (kForbidden). kConflict when its id is known
  /// or its status index taken already; kNotFound, kRetired or kKeyLost for the state of the signer, of
  /// `agent_id`, or of `holder` when that is a key of ours.
  /// \param signer  the key that signed it
  virtual Result<std::uint64_t> record_token(const IssuedToken& token, const Thumbprint& signer,
                                             const AuditEntry& audit) = 0;

  /// Records that a key signed something that is not kept, such as a proof, before it is answered.
  /// kNotFound, kRetired or kKeyLost when the key does not serve.
  virtual Result<std::uint64_t> record_use(const Thumbprint& signer, const AuditEntry& audit) = 0;

  /// Records something that changed nothing else, such as a refusal.
  virtual Result<std::uint64_t> append_audit(const AuditEntry& audit) = 0;

  // Intents have no audit entry: what comes of them has.

  /// Notes what is about to be done; of one key the last that is noted.
  virtual Status add_intent(const KeyIntent& intent) = 0;
  /// Strikes out what was given up, or never came about. Succeeds when there is none.
  virtual Status drop_intent(const KeyIntent& intent) = 0;
  /// At most kMaxPage, oldest first.
  virtual Result<std::vector<KeyIntent>> intents() = 0;

  // Look-ups: kNotFound when there is none.

  /// The agent of that name that is not retired.
  virtual Result<Agent> agent_by_name(std::string_view name) = 0;
  /// Whatever its state.
  virtual Result<Agent> agent_by_id(std::string_view id) = 0;
  /// Whatever the states of agent and key; `key` is that one. Indexed: every delegation asks it.
  virtual Result<Agent> agent_by_key(const Thumbprint& thumbprint) = 0;
  /// kNotFound when `query.after` names no agent.
  virtual Result<std::vector<Agent>> agents(const AgentQuery& query) = 0;
  virtual Result<std::vector<Agent>> agents_by_name(const AgentNameQuery& query) = 0;
  virtual Result<Key> key(const Thumbprint& thumbprint) = 0;
  virtual Result<Key> key_by_id(std::string_view backend, std::string_view key_id) = 0;
  /// The owner's newest key in a backend, whatever its state.
  virtual Result<Key> newest_key(std::string_view owner, std::string_view backend) = 0;
  /// Newest first; empty when there are none.
  virtual Result<std::vector<Key>> keys(std::string_view owner) = 0;
  /// Those that are active, rotating or lost, newest first.
  virtual Result<std::vector<Key>> keys_in_use(std::string_view owner) = 0;

  // Damaged records are passed over by these three: the others must not wait for them.

  /// The keys behind gates that are active, rotating or lost, whichever the gate, newest first.
  virtual Result<std::vector<Key>> gate_keys_in_use() = 0;

  /// Thumbprints of the approvers' keys that open the key behind a gate. Empty when nobody knows: it was made before they were
  /// kept, or what was kept is damaged.
  virtual Result<std::vector<Thumbprint>> openers_of(const Thumbprint& gate_key) = 0;

  /// Rotating and lost keys whose overlap has ended by `now`, at most kMaxPage, the first that ended first.
  virtual Result<std::vector<Key>> overdue_keys(sys_seconds now) = 0;
  /// Active keys that were made by `latest`, at most kMaxPage, oldest first.
  /// \param skip  how many of the oldest to pass over
  virtual Result<std::vector<Key>> aged_keys(sys_seconds latest, std::size_t skip) = 0;
  /// Keys that were revoked, those of others too, or retired at `since` or later, or that hold tokens which have
  /// not expired at `now`; and those whose records were found damaged by seal_with().
  virtual Result<std::vector<Thumbprint>> ended_keys(sys_seconds since, sys_seconds now) = 0;
  /// What an end of these keys would end, or has ended, for tokens that are not expired at `now`.
  virtual Result<EndedTokens> tokens_of(const std::vector<Thumbprint>& keys, sys_seconds now) = 0;
  /// The pinned Name in hexadecimal.
  virtual Result<std::string> backend_pin(std::string_view backend) = 0;
  virtual Result<std::string> master_pin() = 0;
  virtual Result<IssuedToken> token(std::string_view id) = 0;
  /// Those of an agent that have not expired at `now`, at most `limit` (to kMaxPage), the last to expire first.
  virtual Result<std::vector<IssuedToken>> tokens_of_agent(std::string_view id, sys_seconds now,
                                                           std::size_t limit) = 0;
  /// How many there are.
  virtual Result<std::uint64_t> count_tokens_of_agent(std::string_view id, sys_seconds now) = 0;
  /// At most `limit` entries after `sequence` (0: from the first), oldest first.
  virtual Result<std::vector<AuditRecord>> audit_after(std::uint64_t sequence, std::size_t limit) = 0;
  /// The last `limit` entries, oldest first.
  virtual Result<std::vector<AuditRecord>> audit_tail(std::size_t limit) = 0;
  /// kStoreCorrupt once the database was found damaged.
  virtual Result<StoreCounts> counts() = 0;

  /// Whether a write would be taken now; the error says what is wrong, and what to do. It finds out: unless something was
  /// written since the last look, it writes a page that changes nothing, and waits for the disk.
  virtual Status check() = 0;

  /// What the state folder's file system has left; kStoreUnavailable. Does not wait for the disk.
  virtual Result<StateSpace> space() = 0;

  /// How many active agents' keys each backend has, by its name; one that has none is not in it.
  virtual Result<std::map<std::string, std::uint64_t>> agent_keys_by_backend() = 0;
};

}  // namespace chancery::store
