#pragma once

// The statements of the SQLite store. Each is prepared once and known by its address. Parameters are bound,
// and columns read, in the order in which they stand here.

namespace chancery::store::sql {

#define CHANCERY_AGENT                                                                                 \
  "SELECT id, name, backend, key_id, jwk, thumbprint, blob, selectors, state, created_at, retired_at " \
  "FROM agents "

inline constexpr const char* kAgentById = CHANCERY_AGENT "WHERE id = ?";
inline constexpr const char* kAgentByKey = CHANCERY_AGENT "WHERE thumbprint = ?";
inline constexpr const char* kAgentByName = CHANCERY_AGENT "WHERE name = ? AND state <> 'retired'";
inline constexpr const char* kAgentsAfter =
    CHANCERY_AGENT "WHERE seq > ? AND state <> 'retired' ORDER BY seq LIMIT ?";

#undef CHANCERY_AGENT

inline constexpr const char* kAgentPlace = "SELECT seq FROM agents WHERE id = ?";
inline constexpr const char* kAgentCounts = "SELECT state, count(*) FROM agents GROUP BY state";

inline constexpr const char* kAgentKeysByBackend =
    "SELECT backend, count(*) FROM agents WHERE state = 'active' GROUP BY backend";

inline constexpr const char* kInsertAgent = R"sql(
INSERT INTO agents (id, name, backend, key_id, jwk, thumbprint, blob, selectors, state, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'active', ?)
)sql";

inline constexpr const char* kRetireAgent = R"sql(
UPDATE agents SET state = 'retired', retired_at = ?, blob = x'' WHERE id = ? AND state <> 'retired'
)sql";

inline constexpr const char* kMarkAgentLost =
    "UPDATE agents SET state = 'lost' WHERE id = ? AND state = 'active'";

inline constexpr const char* kInsertDaemonKey = R"sql(
INSERT INTO daemon_keys (purpose, backend, agent_id, key_id, jwk, thumbprint, blob, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
)sql";

inline constexpr const char* kDaemonKeys = R"sql(
SELECT purpose, backend, agent_id, key_id, jwk, thumbprint, blob, created_at FROM daemon_keys
WHERE purpose = ? ORDER BY seq DESC
)sql";

inline constexpr const char* kInsertPin = "INSERT INTO backend_pins (backend, device_name) VALUES (?, ?)";
inline constexpr const char* kInsertMasterPin = "INSERT INTO master_pin (one, value) VALUES (1, ?)";
inline constexpr const char* kMasterPin = "SELECT value FROM master_pin";
inline constexpr const char* kPin = "SELECT device_name FROM backend_pins WHERE backend = ?";

inline constexpr const char* kInsertToken = R"sql(
INSERT INTO tokens (id, jti, parent_id, holder, agent_id, principal, issued_at, expires_at, compact)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
)sql";

inline constexpr const char* kToken = R"sql(
SELECT id, jti, parent_id, holder, agent_id, principal, issued_at, expires_at, compact FROM tokens
WHERE id = ?
)sql";

inline constexpr const char* kInsertAudit = "INSERT INTO audit (at, entry, sha256) VALUES (?, ?, ?)";
inline constexpr const char* kAuditAfter =
    "SELECT sequence, at, entry, sha256 FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?";
inline constexpr const char* kAuditTail =
    "SELECT sequence, at, entry, sha256 FROM audit ORDER BY sequence DESC LIMIT ?";

// Nothing is ever deleted from these, so the greatest key is the count, without a scan.
inline constexpr const char* kTokenCount = "SELECT coalesce(max(seq), 0) FROM tokens";
inline constexpr const char* kAuditCount = "SELECT coalesce(max(sequence), 0) FROM audit";

}  // namespace chancery::store::sql
