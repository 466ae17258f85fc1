#pragma once

// The statements of the SQLite store. Each is prepared once and known by its address. Parameters are bound,
// and columns read, in the order in which they stand here.

namespace chancery::store::sql {

#define CHANCERY_KEY_COLUMNS                                                                                 \
  "k.owner, k.backend, k.agent_id, k.key_id, k.jwk, k.thumbprint, k.blob, k.state, k.reason, k.created_at, " \
  "k.overlap_until, k.ended_at, k.destroyed_at, k.seal "
#define CHANCERY_AGENT                                             \
  "SELECT a.id, a.name, a.selectors, a.created_at, a.retired_at, " \
  "EXISTS (SELECT 1 FROM keys r WHERE r.owner = a.id AND r.state = 'rotating'), a.key, a.seal, " CHANCERY_KEY_COLUMNS
#define CHANCERY_AGENT_AND_NEWEST CHANCERY_AGENT "FROM agents a JOIN keys k ON k.seq = a.key "
#define CHANCERY_KEY "SELECT " CHANCERY_KEY_COLUMNS "FROM keys k "

inline constexpr const char* kEveryAgent = CHANCERY_AGENT_AND_NEWEST;
inline constexpr const char* kUnsealedAgents = CHANCERY_AGENT_AND_NEWEST "WHERE a.seal IS NULL";
inline constexpr const char* kAgentById = CHANCERY_AGENT_AND_NEWEST "WHERE a.id = ?";
inline constexpr const char* kAgentByName =
    CHANCERY_AGENT_AND_NEWEST "WHERE a.name = ? AND a.retired_at IS NULL";
inline constexpr const char* kAgentsAfter =
    CHANCERY_AGENT_AND_NEWEST "WHERE a.seq > ? AND a.retired_at IS NULL ORDER BY a.seq LIMIT ?";
// By the index of names, which has those alone that are not retired.
inline constexpr const char* kAgentsByName = CHANCERY_AGENT_AND_NEWEST
    "WHERE a.name >= ? AND a.name < ? AND a.retired_at IS NULL ORDER BY a.name LIMIT ?";
inline constexpr const char* kAgentByKey =
    CHANCERY_AGENT "FROM keys k JOIN agents a ON a.id = k.owner WHERE k.thumbprint = ?";

inline constexpr const char* kAgentNameByKey =
    "SELECT a.name FROM keys k JOIN agents a ON a.id = k.owner WHERE k.thumbprint = ?";

inline constexpr const char* kKey = CHANCERY_KEY "WHERE k.thumbprint = ?";
inline constexpr const char* kKeysOfOwner = CHANCERY_KEY "WHERE k.owner = ? ORDER BY k.seq DESC";
inline constexpr const char* kOverdueKeys = CHANCERY_KEY
    "WHERE k.state IN ('rotating', 'lost') AND k.overlap_until <= ? ORDER BY k.overlap_until, k.seq LIMIT ?";
inline constexpr const char* kAgedKeys = CHANCERY_KEY
    "WHERE k.state = 'active' AND k.created_at <= ? ORDER BY k.created_at, k.seq LIMIT ? OFFSET ?";

inline constexpr const char* kEveryKey = CHANCERY_KEY;
inline constexpr const char* kUnsealedKeys = CHANCERY_KEY "WHERE k.seal IS NULL";
inline constexpr const char* kNewestKey =
    CHANCERY_KEY "WHERE k.owner = ? AND k.backend = ? ORDER BY k.seq DESC LIMIT 1";
inline constexpr const char* kKeysInUse =
    CHANCERY_KEY "WHERE k.owner = ? AND k.state IN ('active', 'rotating', 'lost') ORDER BY k.seq DESC";
// Of owners that begin with `gate/`: the next character is `0`.
inline constexpr const char* kGateKeysInUse = CHANCERY_KEY
    "WHERE k.owner > 'gate/' AND k.owner < 'gate0' AND k.state IN ('active', 'rotating', 'lost') "
    "ORDER BY k.seq DESC";
inline constexpr const char* kKeyById = CHANCERY_KEY "WHERE k.backend = ? AND k.key_id = ?";
inline constexpr const char* kServingKeys =
    CHANCERY_KEY "WHERE k.backend = ? AND k.state IN ('active', 'rotating')";
inline constexpr const char* kKeysOfOtherDevice =
    CHANCERY_KEY "WHERE k.backend = ? AND k.state = 'lost' AND k.reason = ?";
// One that was rotating goes on with that; one that was followed while it was lost stays lost.
inline constexpr const char* kRecoverableKeys = CHANCERY_KEY
    "WHERE k.backend = ? AND k.state = 'lost' AND k.reason = ? AND (k.overlap_until IS NOT NULL OR "
    "NOT EXISTS (SELECT 1 FROM keys n WHERE n.owner = k.owner AND n.seq > k.seq))";

#undef CHANCERY_KEY
#undef CHANCERY_AGENT_AND_NEWEST
#undef CHANCERY_AGENT
#undef CHANCERY_KEY_COLUMNS

inline constexpr const char* kEndedKeys = R"sql(
SELECT thumbprint FROM keys WHERE state = 'revoked' OR
(state = 'retired' AND (ended_at >= ? OR EXISTS (
  SELECT 1 FROM tokens t WHERE t.holder = keys.thumbprint AND t.expires_at > ?)))
UNION SELECT thumbprint FROM ended_holders
)sql";

inline constexpr const char* kAgentPlace = "SELECT seq FROM agents WHERE id = ?";
inline constexpr const char* kAgentCounts = R"sql(
SELECT (SELECT count(*) FROM agents), (SELECT count(*) FROM agents WHERE retired_at IS NOT NULL),
       (SELECT count(*) FROM keys k JOIN agents a ON a.key = k.seq
        WHERE k.state IN ('lost', 'revoked') AND a.retired_at IS NULL)
)sql";

inline constexpr const char* kAgentKeysByBackend = R"sql(
SELECT k.backend, count(*) FROM agents a JOIN keys k ON k.seq = a.key
WHERE a.retired_at IS NULL AND k.state = 'active' GROUP BY k.backend
)sql";

inline constexpr const char* kInsertAgent =
    "INSERT INTO agents (id, name, selectors, created_at, key, seal) VALUES (?, ?, ?, ?, ?, ?)";
inline constexpr const char* kUpdateAgent =
    "UPDATE agents SET retired_at = ?, key = ?, seal = ? WHERE id = ?";
inline constexpr const char* kAgentKey = "SELECT key FROM agents WHERE id = ?";

inline constexpr const char* kInsertKey = R"sql(
INSERT INTO keys (owner, backend, agent_id, key_id, jwk, thumbprint, blob, state, created_at, seal)
VALUES (?, ?, ?, ?, ?, ?, ?, 'active', ?, ?)
)sql";
inline constexpr const char* kUpdateKey = R"sql(
UPDATE keys SET blob = ?, state = ?, reason = ?, overlap_until = ?, ended_at = ?, destroyed_at = ?, seal = ?
WHERE thumbprint = ?
)sql";

inline constexpr const char* kInsertOpeners =
    "INSERT INTO gate_key_approvers (key, approvers, seal) VALUES (?, ?, ?)";
inline constexpr const char* kOpeners = "SELECT approvers, seal FROM gate_key_approvers WHERE key = ?";

inline constexpr const char* kInsertIntent = R"sql(
INSERT INTO key_intents (kind, backend, owner, key_id, overlap, algorithm) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (backend, key_id) DO UPDATE SET kind = excluded.kind
)sql";
inline constexpr const char* kIntendToDestroy = R"sql(
INSERT INTO key_intents (kind, backend, owner, key_id, overlap, algorithm)
SELECT 'destroy', backend, owner, key_id, 0, 'ES256' FROM keys
WHERE state IN ('retired', 'revoked') AND destroyed_at IS NULL AND owner = ?
ON CONFLICT (backend, key_id) DO NOTHING
)sql";
inline constexpr const char* kDropIntent = "DELETE FROM key_intents WHERE backend = ? AND key_id = ?";
inline constexpr const char* kIntents =
    "SELECT kind, backend, owner, key_id, overlap, algorithm FROM key_intents ORDER BY seq LIMIT ?";

// Whatever was delegated from the tokens of one holder, and from those in turn. Sessions of the holder's own agent are
// no other agent's loss.
inline constexpr const char* kHeldTokens =
    "SELECT count(*), max(expires_at) FROM tokens WHERE holder = ? AND expires_at > ?";
inline constexpr const char* kDescendants = R"sql(
WITH RECURSIVE below (id, agent_id, expires_at, holder) AS (
  SELECT t.id, t.agent_id, t.expires_at, t.holder FROM tokens t JOIN tokens held ON t.parent_id = held.id
  WHERE held.holder = ?1 AND held.expires_at > ?2 AND t.expires_at > ?2
  UNION
  SELECT t.id, t.agent_id, t.expires_at, t.holder FROM tokens t JOIN below ON t.parent_id = below.id
  WHERE t.expires_at > ?2
)
SELECT below.id, coalesce(agents.name, ''), below.expires_at FROM below
LEFT JOIN agents ON agents.id = agent_id AND agents.id NOT IN (SELECT owner FROM keys WHERE thumbprint = ?1)
WHERE below.holder <> ?1
)sql";

inline constexpr const char* kInsertPin = "INSERT INTO backend_pins (backend, device_name) VALUES (?, ?)";
inline constexpr const char* kReplacePin = "UPDATE backend_pins SET device_name = ? WHERE backend = ?";
inline constexpr const char* kInsertMasterPin = "INSERT INTO master_pin (one, value) VALUES (1, ?)";
inline constexpr const char* kReplaceMasterPin = "UPDATE master_pin SET value = ?";
inline constexpr const char* kMasterPin = "SELECT value FROM master_pin";
inline constexpr const char* kPin = "SELECT device_name FROM backend_pins WHERE backend = ?";

inline constexpr const char* kInsertToken = R"sql(
INSERT INTO tokens (id, jti, parent_id, holder, agent_id, principal, issued_at, expires_at, compact)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
)sql";

inline constexpr const char* kToken = R"sql(
SELECT id, jti, parent_id, holder, agent_id, principal, issued_at, expires_at, compact, s.list, s.idx
FROM tokens t LEFT JOIN status_indexes s ON s.token = t.seq WHERE id = ?
)sql";

inline constexpr const char* kTokensOfAgent = R"sql(
SELECT id, jti, parent_id, holder, agent_id, principal, issued_at, expires_at, compact, s.list, s.idx
FROM tokens t LEFT JOIN status_indexes s ON s.token = t.seq WHERE agent_id = ? AND expires_at > ?
ORDER BY expires_at DESC LIMIT ?
)sql";
inline constexpr const char* kCountTokensOfAgent =
    "SELECT count(*) FROM tokens WHERE agent_id = ? AND expires_at > ?";

inline constexpr const char* kAuditAfter =
    "SELECT sequence, at, entry FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?";
inline constexpr const char* kAuditTail =
    "SELECT sequence, at, entry FROM audit ORDER BY sequence DESC LIMIT ?";

// Nothing is ever deleted from these, so the greatest key is the count, without a scan.
inline constexpr const char* kKeyCount = "SELECT coalesce(max(seq), 0) FROM keys";
inline constexpr const char* kTokenCount = "SELECT coalesce(max(seq), 0) FROM tokens";
inline constexpr const char* kAuditCount = "SELECT coalesce(max(sequence), 0) FROM audit";

}  // namespace chancery::store::sql
