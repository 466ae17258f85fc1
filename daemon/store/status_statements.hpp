#pragma once

// The statements about statuses, as statements.hpp has those of the store.

namespace chancery::store::sql {

// Parameters: the target's value, the instant after which tokens must expire, and what follows.
#define CHANCERY_BELOW(column)                                                          \
  "WITH RECURSIVE below (seq, id) AS (SELECT t.seq, t.id FROM tokens t WHERE t." column \
  " = ?1 AND t.expires_at >= ?2 UNION SELECT t.seq, t.id FROM tokens t JOIN below ON "  \
  "t.parent_id = below.id WHERE t.expires_at >= ?2) "
#define CHANCERY_MARK "INSERT INTO status_marks (token, act) SELECT seq, ?3 FROM below"
#define CHANCERY_CONCERNED(column)                                                                \
  CHANCERY_BELOW(column)                                                                          \
  "SELECT t.id, t.parent_id, coalesce(a.name, ''), t.issued_at, t.expires_at, t." column          \
  " IS ?1 FROM below JOIN tokens t ON t.seq = below.seq LEFT JOIN agents a ON a.id = t.agent_id " \
  "ORDER BY t.seq"

inline constexpr const char* kMarkToken =
    "INSERT INTO status_marks (token, act) SELECT seq, ?3 FROM tokens WHERE id = ?1 AND expires_at >= ?2";
inline constexpr const char* kMarkSubtree = CHANCERY_BELOW("id") CHANCERY_MARK;
inline constexpr const char* kMarkAgent = CHANCERY_BELOW("agent_id") CHANCERY_MARK;
inline constexpr const char* kMarkKey = CHANCERY_BELOW("holder") CHANCERY_MARK;
inline constexpr const char* kMarkPrincipal = CHANCERY_BELOW("principal") CHANCERY_MARK;
// With the same parameters: the target's value names nobody.
inline constexpr const char* kMarkEverybody =
    "INSERT INTO status_marks (token, act) SELECT seq, ?3 FROM tokens WHERE ?1 IS NOT NULL AND expires_at >= ?2";

inline constexpr const char* kConcernedBySubtree = CHANCERY_CONCERNED("id");
inline constexpr const char* kConcernedByAgent = CHANCERY_CONCERNED("agent_id");
inline constexpr const char* kConcernedByKey = CHANCERY_CONCERNED("holder");
inline constexpr const char* kConcernedByPrincipal = CHANCERY_CONCERNED("principal");

#undef CHANCERY_CONCERNED
#undef CHANCERY_MARK
#undef CHANCERY_BELOW

// A holder that is a key of ours is its agent's.
inline constexpr const char* kAdoptToken = R"sql(
INSERT INTO tokens (id, jti, parent_id, holder, principal, issued_at, expires_at, compact, agent_id)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, (
  SELECT a.id FROM keys k JOIN agents a ON a.id = k.owner WHERE k.thumbprint = ?4))
ON CONFLICT (id) DO NOTHING
)sql";
inline constexpr const char* kMarkAdopted = R"sql(
INSERT INTO status_marks (token, act)
SELECT t.seq, a.seq FROM tokens t JOIN status_acts a ON a.lifted_at IS NULL
WHERE t.seq = ?1 AND (a.target_kind <> 'token' AND EXISTS (
    SELECT 1 FROM tokens p JOIN status_marks m ON m.token = p.seq WHERE p.id = t.parent_id AND m.act = a.seq)
  OR (a.kind <> 'revoke' OR a.at >= t.issued_at) AND (
    a.target_kind = 'agent' AND a.target = t.agent_id OR a.target_kind = 'key' AND a.target = t.holder OR
    a.target_kind = 'principal' AND a.target IN (t.principal, '*')))
)sql";
inline constexpr const char* kStatusOfToken =
    "SELECT t.id, coalesce((SELECT min(CASE a.kind WHEN 'revoke' THEN 1 ELSE 2 END) FROM status_marks m "
    "JOIN status_acts a ON a.seq = m.act WHERE m.token = t.seq AND a.lifted_at IS NULL), 0) "
    "FROM tokens t WHERE t.seq = ?";

// What a revocation ends besides tokens.
inline constexpr const char* kEndHolder = R"sql(
INSERT INTO ended_holders (thumbprint, ended_at)
SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM keys WHERE thumbprint = ?1) ON CONFLICT DO NOTHING
)sql";
inline constexpr const char* kEndJoinTokens =
    "UPDATE join_tokens SET expires_at = min(expires_at, ?2 - 1) WHERE agent_id = ?1";

inline constexpr const char* kHasToken = "SELECT 1 FROM tokens WHERE id = ?";

// Acts that stand: a revocation always does. Of those that mark a token the least is its status.
#define CHANCERY_STATUS "min(CASE a.kind WHEN 'revoke' THEN 1 ELSE 2 END)"
inline constexpr const char* kStatusesOfAct =
    "SELECT t.id, coalesce((SELECT " CHANCERY_STATUS
    " FROM status_marks o JOIN status_acts a ON a.seq = o.act WHERE o.token = m.token AND a.lifted_at IS NULL), "
    "0) FROM status_marks m JOIN tokens t ON t.seq = m.token WHERE m.act = ?";
inline constexpr const char* kEndedTokens =
    "SELECT t.id, " CHANCERY_STATUS
    " FROM status_acts a JOIN status_marks m ON m.act = a.seq JOIN tokens t ON t.seq = m.token "
    "WHERE a.lifted_at IS NULL AND t.expires_at >= ? GROUP BY t.seq";
inline constexpr const char* kStatusListEntries =
    "SELECT i.idx, " CHANCERY_STATUS
    " FROM status_acts a JOIN status_marks m ON m.act = a.seq JOIN status_indexes i ON i.token = m.token "
    "WHERE a.lifted_at IS NULL AND i.list = ? GROUP BY i.idx";
inline constexpr const char* kStatusCounts =
    "SELECT (SELECT count(*) FROM status_lists), count(CASE status WHEN 1 THEN 1 END), "
    "count(CASE status WHEN 2 THEN 1 END) FROM (SELECT " CHANCERY_STATUS
    " AS status FROM status_acts a JOIN status_marks m ON m.act = a.seq JOIN tokens t ON t.seq = m.token "
    "WHERE a.lifted_at IS NULL AND t.expires_at >= ? GROUP BY t.seq)";
#undef CHANCERY_STATUS

inline constexpr const char* kIsEnded =
    "SELECT 1 FROM tokens t JOIN status_marks m ON m.token = t.seq JOIN status_acts a ON a.seq = m.act "
    "WHERE t.id = ? AND a.lifted_at IS NULL LIMIT 1";
inline constexpr const char* kIsSuspended =
    "SELECT 1 FROM status_acts WHERE lifted_at IS NULL AND kind <> 'revoke' AND "
    "((target_kind = 'agent' AND target = ?1) OR (target_kind = 'key' AND target = ?2) OR "
    "(target_kind = 'principal' AND target = ?3)) LIMIT 1";

inline constexpr const char* kInsertAct =
    "INSERT INTO status_acts (kind, target_kind, target, reason, at, until) VALUES (?, ?, ?, ?, ?, ?)";
inline constexpr const char* kCountMarks = "UPDATE status_acts SET tokens = ? WHERE seq = ?";
inline constexpr const char* kDropAct = "DELETE FROM status_acts WHERE seq = ?";
inline constexpr const char* kLiftAct =
    "UPDATE status_acts SET lifted_at = ? WHERE seq = ? AND kind <> 'revoke' AND lifted_at IS NULL";

#define CHANCERY_ACT                                                                               \
  "SELECT a.seq, a.kind, a.target_kind, a.target, a.reason, a.at, a.until, a.lifted_at, a.tokens " \
  "FROM status_acts a "
inline constexpr const char* kAct = CHANCERY_ACT "WHERE a.seq = ?";
// Parameters: the target's kind and value, whether it names a token, the limit. The index has those acts alone that stand; to have them
// in order SQLite would rather go through all.
inline constexpr const char* kStandingActs = CHANCERY_ACT
    "INDEXED BY status_acts_standing WHERE a.lifted_at IS NULL AND a.kind <> 'revoke' AND ((a.target_kind = ?1 AND a.target = ?2) OR (?3 AND "
    "a.seq IN (SELECT m.act FROM status_marks m JOIN tokens t ON t.seq = m.token WHERE t.id = ?2))) "
    "ORDER BY a.seq LIMIT ?4";
inline constexpr const char* kOverdueDrills =
    CHANCERY_ACT "WHERE a.lifted_at IS NULL AND a.kind = 'drill' AND a.until <= ? ORDER BY a.until LIMIT ?";
#undef CHANCERY_ACT

inline constexpr const char* kOpenList =
    "SELECT seq, size FROM status_lists WHERE used < size / 2 ORDER BY seq DESC LIMIT 1";
inline constexpr const char* kInsertList = "INSERT INTO status_lists (size, last_expiry) VALUES (?, ?)";
inline constexpr const char* kTakeIndex =
    "INSERT INTO status_indexes (list, idx) VALUES (?, ?) ON CONFLICT (list, idx) DO NOTHING";
inline constexpr const char* kCountIndex =
    "UPDATE status_lists SET used = used + 1, last_expiry = max(last_expiry, ?) WHERE seq = ?";
inline constexpr const char* kGiveIndex =
    "UPDATE status_indexes SET token = ? WHERE list = ? AND idx = ? AND token IS NULL";
inline constexpr const char* kStatusList = "SELECT size FROM status_lists WHERE seq = ?";

inline constexpr const char* kAddDenied = R"sql(
INSERT INTO drill_denials (act, leaf, denied, first_at, last_at)
SELECT a.seq, iif(
    EXISTS (SELECT 1 FROM drill_denials d WHERE d.act = a.seq AND d.leaf = ?2) OR
    (SELECT count(*) FROM drill_denials d WHERE d.act = a.seq) < ?7, ?2, ?6), ?3, ?4, ?5
FROM status_acts a JOIN status_marks m ON m.act = a.seq
JOIN tokens t ON t.seq = m.token
WHERE a.kind = 'drill' AND a.lifted_at IS NULL AND t.id = ?1
ON CONFLICT (act, leaf) DO UPDATE SET denied = denied + excluded.denied, last_at = excluded.last_at
)sql";
inline constexpr const char* kDenied =
    "SELECT leaf, denied, first_at, last_at FROM drill_denials WHERE act = ? ORDER BY first_at, leaf";

// Lists that are not filled any further.
inline constexpr const char* kForgetIndexes =
    "DELETE FROM status_indexes WHERE list IN (SELECT seq FROM status_lists WHERE used >= size / 2 AND "
    "last_expiry < ?)";
inline constexpr const char* kForgetLists =
    "DELETE FROM status_lists WHERE used >= size / 2 AND last_expiry < ?";
inline constexpr const char* kForgetMarks =
    "DELETE FROM status_marks WHERE token IN (SELECT m.token FROM status_marks m JOIN tokens t ON "
    "t.seq = m.token WHERE t.expires_at < ?)";
inline constexpr const char* kForgetDenials =
    "DELETE FROM drill_denials WHERE act IN (SELECT seq FROM status_acts WHERE kind = 'drill' AND lifted_at < ?)";
inline constexpr const char* kForgetActs =
    "DELETE FROM status_acts WHERE (lifted_at < ?1 OR (kind = 'revoke' AND at < ?1)) AND "
    "NOT EXISTS (SELECT 1 FROM status_marks WHERE act = status_acts.seq) AND "
    "NOT EXISTS (SELECT 1 FROM drill_denials WHERE act = status_acts.seq)";

}  // namespace chancery::store::sql
