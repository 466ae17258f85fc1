#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/keys.hpp>
#include <chancery/result.hpp>

#include "hsm/key_backend.hpp"

namespace chancery::store {

using std::chrono::sys_seconds;

enum class AgentState : std::uint8_t {
  kActive,
  kRetired,  ///< ended by the operator: kept for the history, its name is free again, its blob is gone
  kLost,     ///< its device no longer opens its key; keeps its name until it is retired
};

/// "active", "retired" or "lost", as the API and the audit log spell it.
[[nodiscard]] std::string_view agent_state_name(AgentState state) noexcept;

/// An agent and the key that is its identity. `key.binding.agent_id` repeats `id`.
struct Agent {
  std::string id;       ///< 32 lower-case hexadecimal digits, random; never reused
  std::string name;     ///< unique among agents that are not retired
  std::string backend;  ///< name of the `[[backend]]` section that made the key
  hsm::StoredKey key;
  std::string selectors;  ///< canonical JSON
  AgentState state = AgentState::kActive;
  sys_seconds created_at{};
  std::optional<sys_seconds> retired_at{};
};

/// A key of the daemon's own. A purpose may have several: the newest signs, the older ones still verify.
struct DaemonKey {
  std::string purpose;  ///< "issuer", later "status", "audit" …
  std::string backend;
  hsm::StoredKey key;
  sys_seconds created_at{};
};

/// A token that this daemon signed.
struct IssuedToken {
  std::string id;  ///< SHA-256 of the JWS Signing Input, 64 lower-case hexadecimal digits
  std::string jti;
  std::optional<std::string> parent_id{};  ///< none for DT_0; a parent need not have been issued here
  Thumbprint holder;                       ///< `cnf.jkt`
  std::optional<std::string> agent_id{};   ///< the holder when it is an agent of ours
  std::string principal;                   ///< `sub`
  sys_seconds issued_at{};
  sys_seconds expires_at{};
  std::string compact;
  bool operator==(const IssuedToken&) const = default;
};

/// What an effect leaves in the audit log: the instant and the entry in JCS. Never empty.
struct AuditEntry {
  sys_seconds at{};
  std::string json;
};

/// An audit entry as it was recorded.
struct AuditRecord {
  std::uint64_t sequence = 0;  ///< 1, 2, 3 … without gaps
  sys_seconds at{};
  std::string json;
  std::string sha256;  ///< of `json`, 64 lower-case hexadecimal digits
  bool operator==(const AuditRecord&) const = default;
};

/// One page of the agents that are not retired, in the order of their registration.
struct AgentQuery {
  std::size_t limit = 100;  ///< 1 … kMaxPage
  std::string after{};      ///< id of the last agent of the page before; empty for the first page
};

struct StoreCounts {
  std::uint64_t active_agents = 0;
  std::uint64_t retired_agents = 0;
  std::uint64_t lost_agents = 0;
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

  // Every mutation returns the sequence of its audit entry.

  /// Registers an agent. kConflict when its name is in use, or its id or key is known already.
  virtual Result<std::uint64_t> add_agent(const Agent& agent, const AuditEntry& audit) = 0;

  /// Ends an agent for good and deletes its blob. kNotFound; kRetired when it was ended before.
  virtual Result<std::uint64_t> retire_agent(std::string_view id, const AuditEntry& audit) = 0;

  /// Notes that an agent's key is lost. kNotFound; kRetired; kConflict when it was noted before.
  virtual Result<std::uint64_t> mark_agent_lost(std::string_view id, const AuditEntry& audit) = 0;

  /// Adds a key, which becomes the newest of its purpose. kConflict when the key is known already.
  virtual Result<std::uint64_t> add_daemon_key(const DaemonKey& key, const AuditEntry& audit) = 0;

  /// Remembers by which Name (hexadecimal) a backend's device is known. kConflict when one is remembered.
  virtual Result<std::uint64_t> pin_backend(std::string_view backend, std::string_view device_name,
                                            const AuditEntry& audit) = 0;

  /// Remembers by which value, 64 hexadecimal digits, the master secret is known. kConflict when one is
  /// remembered.
  virtual Result<std::uint64_t> pin_master(std::string_view value, const AuditEntry& audit) = 0;

  /// Records a token, before it is answered to anybody, provided that the agents whom it concerns are active
  /// still: one may be ended while the device signs. kConflict when its id is known already; kNotFound,
  /// kRetired or kKeyLost for the state of `agent_id` or `signer_id`.
  /// \param signer_id  the agent whose key signed it; none when the daemon's own did
  virtual Result<std::uint64_t> record_token(const IssuedToken& token,
                                             const std::optional<std::string>& signer_id,
                                             const AuditEntry& audit) = 0;

  /// Records that an agent's key signed something that is not kept, such as a proof, before it is answered.
  /// kNotFound, kRetired or kKeyLost when the agent is not active.
  virtual Result<std::uint64_t> record_use(std::string_view agent_id, const AuditEntry& audit) = 0;

  /// Records something that changed nothing else, such as a refusal.
  virtual Result<std::uint64_t> append_audit(const AuditEntry& audit) = 0;

  // Look-ups: kNotFound when there is none.

  /// The agent of that name that is not retired.
  virtual Result<Agent> agent_by_name(std::string_view name) = 0;
  /// Whatever its state.
  virtual Result<Agent> agent_by_id(std::string_view id) = 0;
  /// Whatever its state. Indexed: every delegation asks it.
  virtual Result<Agent> agent_by_key(const Thumbprint& thumbprint) = 0;
  /// kNotFound when `query.after` names no agent.
  virtual Result<std::vector<Agent>> agents(const AgentQuery& query) = 0;
  /// Newest first; empty when there are none.
  virtual Result<std::vector<DaemonKey>> daemon_keys(std::string_view purpose) = 0;
  /// The pinned Name in hexadecimal.
  virtual Result<std::string> backend_pin(std::string_view backend) = 0;
  virtual Result<std::string> master_pin() = 0;
  virtual Result<IssuedToken> token(std::string_view id) = 0;
  /// At most `limit` entries after `sequence` (0: from the first), oldest first.
  virtual Result<std::vector<AuditRecord>> audit_after(std::uint64_t sequence, std::size_t limit) = 0;
  /// The last `limit` entries, oldest first.
  virtual Result<std::vector<AuditRecord>> audit_tail(std::size_t limit) = 0;
  virtual Result<StoreCounts> counts() = 0;

  /// Whether a write would be taken now; the error says what is missing. Writes nothing.
  virtual Status check() = 0;

  /// How many active agents' keys each backend has, by its name; one that has none is not in it.
  virtual Result<std::map<std::string, std::uint64_t>> agent_keys_by_backend() = 0;
};

}  // namespace chancery::store
