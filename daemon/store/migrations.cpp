#include "daemon/store/migrations.hpp"

#include <array>
#include <string>

#include "daemon/store/approval_steps.hpp"
#include "daemon/store/audit_tree.hpp"

namespace chancery::store {
namespace {

// In SQLite's header, so that a database of another program is not taken for ours: "Chcy".
constexpr std::int64_t kApplicationId = 0x43686379;

// Identifiers, digests and keys are text: the file is read by people with the sqlite3 shell as well.
constexpr const char* kFirst = R"sql(
PRAGMA application_id = 0x43686379;

CREATE TABLE agents (
  seq        INTEGER PRIMARY KEY,
  id         TEXT NOT NULL UNIQUE CHECK (length(id) = 32),
  name       TEXT NOT NULL CHECK (length(name) > 0),
  backend    TEXT NOT NULL,
  key_id     TEXT NOT NULL,
  jwk        TEXT NOT NULL,
  thumbprint TEXT NOT NULL UNIQUE CHECK (length(thumbprint) = 43),
  blob       BLOB NOT NULL,
  selectors  TEXT NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('active', 'retired', 'lost')),
  created_at INTEGER NOT NULL,
  retired_at INTEGER,
  UNIQUE (backend, key_id),
  CHECK ((state = 'retired') = (retired_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX agents_name ON agents (name) WHERE state <> 'retired';
CREATE INDEX agents_state ON agents (state);

CREATE TABLE daemon_keys (
  seq        INTEGER PRIMARY KEY,
  purpose    TEXT NOT NULL CHECK (length(purpose) > 0),
  backend    TEXT NOT NULL,
  agent_id   TEXT NOT NULL,
  key_id     TEXT NOT NULL,
  jwk        TEXT NOT NULL,
  thumbprint TEXT NOT NULL UNIQUE CHECK (length(thumbprint) = 43),
  blob       BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (backend, key_id)
) STRICT;
CREATE INDEX daemon_keys_purpose ON daemon_keys (purpose, seq);

CREATE TABLE tokens (
  seq        INTEGER PRIMARY KEY,
  id         TEXT NOT NULL UNIQUE CHECK (length(id) = 64),
  jti        TEXT NOT NULL CHECK (length(jti) > 0),
  parent_id  TEXT CHECK (length(parent_id) = 64),
  holder     TEXT NOT NULL CHECK (length(holder) = 43),
  agent_id   TEXT REFERENCES agents (id),
  principal  TEXT NOT NULL,
  issued_at  INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  compact    TEXT NOT NULL CHECK (length(compact) > 0)
) STRICT;

CREATE TABLE audit (
  sequence INTEGER PRIMARY KEY,
  at       INTEGER NOT NULL,
  entry    TEXT NOT NULL CHECK (length(entry) > 0),
  sha256   TEXT NOT NULL CHECK (length(sha256) = 64)
) STRICT;
CREATE TRIGGER audit_keeps_entries BEFORE DELETE ON audit BEGIN
  SELECT RAISE(ABORT, 'audit entries are never deleted');
END;
CREATE TRIGGER audit_keeps_contents BEFORE UPDATE ON audit BEGIN
  SELECT RAISE(ABORT, 'audit entries are never changed');
END;
)sql";

constexpr const char* kBackendPins = R"sql(
CREATE TABLE backend_pins (
  backend     TEXT PRIMARY KEY CHECK (length(backend) > 0),
  device_name TEXT NOT NULL CHECK (length(device_name) > 0)
) STRICT, WITHOUT ROWID;
)sql";

constexpr const char* kMasterPin = R"sql(
CREATE TABLE master_pin (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  value TEXT NOT NULL CHECK (length(value) = 64)
) STRICT;
)sql";

// Keys of agents and of the daemon itself have one life, and an agent may have several.
constexpr const char* kKeys = R"sql(
CREATE TABLE keys (
  seq           INTEGER PRIMARY KEY,
  owner         TEXT NOT NULL CHECK (length(owner) > 0),
  backend       TEXT NOT NULL,
  agent_id      TEXT NOT NULL,
  key_id        TEXT NOT NULL,
  jwk           TEXT NOT NULL,
  thumbprint    TEXT NOT NULL UNIQUE CHECK (length(thumbprint) = 43),
  blob          BLOB NOT NULL,
  state         TEXT NOT NULL CHECK (state IN ('active', 'rotating', 'retired', 'lost', 'revoked')),
  reason        TEXT NOT NULL DEFAULT '',
  created_at    INTEGER NOT NULL,
  overlap_until INTEGER,
  ended_at      INTEGER,
  destroyed_at  INTEGER,
  seal          BLOB,
  UNIQUE (backend, key_id),
  CHECK ((state IN ('retired', 'revoked')) = (ended_at IS NOT NULL)),
  CHECK (state <> 'rotating' OR overlap_until IS NOT NULL)
) STRICT;

INSERT INTO keys (owner, backend, agent_id, key_id, jwk, thumbprint, blob, state, reason, created_at, ended_at)
  SELECT id, backend, id, key_id, jwk, thumbprint, blob, state, iif(state = 'lost', 'key_lost', ''),
         created_at, retired_at FROM agents ORDER BY seq;

-- Of the daemon's keys for one purpose, the newest signs; the others served without end, and now for a while.
INSERT INTO keys (owner, backend, agent_id, key_id, jwk, thumbprint, blob, state, created_at, overlap_until)
  SELECT purpose, backend, agent_id, key_id, jwk, thumbprint, blob,
         iif(seq = newest, 'active', 'rotating'), created_at,
         iif(seq = newest, NULL, unixepoch() + 366 * 86400)
  FROM (SELECT *, max(seq) OVER (PARTITION BY purpose) AS newest FROM daemon_keys) ORDER BY seq;

CREATE INDEX keys_owner ON keys (owner, seq);
CREATE INDEX keys_state ON keys (state, backend);
CREATE UNIQUE INDEX keys_active ON keys (owner) WHERE state = 'active';

CREATE TABLE agents_with_keys (
  seq        INTEGER PRIMARY KEY,
  id         TEXT NOT NULL UNIQUE CHECK (length(id) = 32),
  name       TEXT NOT NULL CHECK (length(name) > 0),
  selectors  TEXT NOT NULL,
  key        INTEGER NOT NULL UNIQUE REFERENCES keys (seq),
  created_at INTEGER NOT NULL,
  retired_at INTEGER,
  seal       BLOB
) STRICT;
INSERT INTO agents_with_keys (seq, id, name, selectors, key, created_at, retired_at)
  SELECT a.seq, a.id, a.name, a.selectors, k.seq, a.created_at, a.retired_at
  FROM agents a JOIN keys k ON k.owner = a.id;
DROP TABLE agents;
ALTER TABLE agents_with_keys RENAME TO agents;
CREATE UNIQUE INDEX agents_name ON agents (name) WHERE retired_at IS NULL;
DROP TABLE daemon_keys;

CREATE TABLE key_intents (
  seq     INTEGER PRIMARY KEY,
  kind    TEXT NOT NULL CHECK (kind IN ('make', 'rotate', 'destroy')),
  backend TEXT NOT NULL,
  owner   TEXT NOT NULL,
  key_id  TEXT NOT NULL,
  overlap INTEGER NOT NULL,
  algorithm TEXT NOT NULL,
  UNIQUE (backend, key_id)
) STRICT;

CREATE INDEX tokens_holder ON tokens (holder, expires_at);
CREATE INDEX tokens_parent ON tokens (parent_id);
)sql";

// What is spent, and which proofs were used. Amounts are millionths. `kind` is a TotalKind.
constexpr const char* kLedger = R"sql(
CREATE TABLE proofs (
  holder     TEXT NOT NULL CHECK (length(holder) = 43),
  jti        TEXT NOT NULL CHECK (length(jti) = 64),
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (holder, jti)
) STRICT, WITHOUT ROWID;
CREATE INDEX proofs_expiry ON proofs (expires_at);

CREATE TABLE totals (
  token      TEXT NOT NULL CHECK (length(token) = 64),
  kind       INTEGER NOT NULL CHECK (kind IN (1, 2, 3)),
  key        TEXT NOT NULL,
  window     INTEGER NOT NULL,
  spent      INTEGER NOT NULL CHECK (spent >= 0),
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (token, kind, key, window)
) STRICT, WITHOUT ROWID;
CREATE INDEX totals_expiry ON totals (expires_at);

CREATE TABLE reservations (
  seq        INTEGER PRIMARY KEY,
  id         TEXT NOT NULL UNIQUE CHECK (length(id) > 0),
  caller     TEXT NOT NULL CHECK (length(caller) > 0),
  state      TEXT NOT NULL CHECK (state IN ('reserved', 'settled', 'released')),
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX reservations_open ON reservations (expires_at) WHERE state = 'reserved';
CREATE INDEX reservations_expiry ON reservations (expires_at);

CREATE TABLE reserved_amounts (
  reservation INTEGER NOT NULL REFERENCES reservations (seq) ON DELETE CASCADE,
  token       TEXT NOT NULL,
  kind        INTEGER NOT NULL,
  key         TEXT NOT NULL,
  window      INTEGER NOT NULL,
  parameter   TEXT NOT NULL,
  amount      INTEGER NOT NULL CHECK (amount >= 0),
  PRIMARY KEY (reservation, token, kind, key, window)
) STRICT, WITHOUT ROWID;

CREATE TABLE answers (
  caller     TEXT NOT NULL,
  key        TEXT NOT NULL,
  request    TEXT NOT NULL CHECK (length(request) = 64),
  answer     TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (caller, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX answers_expiry ON answers (expires_at);

CREATE TABLE forgotten (
  book  TEXT NOT NULL PRIMARY KEY,
  until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row at most. Values of a device's counter have 64 bits and are kept as text.
CREATE TABLE checkpoint (
  only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
  value    TEXT NOT NULL,
  intended TEXT,
  sealed   INTEGER NOT NULL CHECK (sealed IN (0, 1))
) STRICT;
)sql";

constexpr const char* kJoinTokens = R"sql(
CREATE TABLE join_tokens (
  hash       TEXT PRIMARY KEY CHECK (length(hash) = 64),
  agent_id   TEXT NOT NULL CHECK (length(agent_id) = 32),
  chain      TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at    INTEGER
) STRICT, WITHOUT ROWID;
)sql";

// An index of a list belongs to one token for ever, and a list's name to one list. What ends tokens is an act; a
// token's status is what the acts that mark it say together.
constexpr const char* kStatuses = R"sql(
CREATE TABLE status_lists (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  size        INTEGER NOT NULL CHECK (size > 0),
  used        INTEGER NOT NULL DEFAULT 0,
  last_expiry INTEGER NOT NULL
) STRICT;

CREATE TABLE status_indexes (
  list  INTEGER NOT NULL REFERENCES status_lists (seq),
  idx   INTEGER NOT NULL CHECK (idx >= 0),
  token INTEGER UNIQUE REFERENCES tokens (seq),
  PRIMARY KEY (list, idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE status_acts (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  kind        TEXT NOT NULL CHECK (kind IN ('revoke', 'suspend', 'drill')),
  target_kind TEXT NOT NULL CHECK (target_kind IN ('token', 'subtree', 'agent', 'key', 'principal')),
  target      TEXT NOT NULL,
  reason      TEXT NOT NULL,
  at          INTEGER NOT NULL,
  until       INTEGER,
  lifted_at   INTEGER,
  tokens      INTEGER NOT NULL DEFAULT 0,
  CHECK ((kind = 'drill') = (until IS NOT NULL)),
  CHECK (kind <> 'revoke' OR lifted_at IS NULL)
) STRICT;
CREATE INDEX status_acts_standing ON status_acts (target_kind, target)
  WHERE lifted_at IS NULL AND kind <> 'revoke';
CREATE TRIGGER status_acts_stay_lifted BEFORE UPDATE OF lifted_at ON status_acts
  WHEN old.lifted_at IS NOT NULL BEGIN SELECT RAISE(ABORT, 'a suspension is lifted once'); END;

CREATE TABLE status_marks (
  token INTEGER NOT NULL REFERENCES tokens (seq),
  act   INTEGER NOT NULL REFERENCES status_acts (seq),
  PRIMARY KEY (token, act)
) STRICT, WITHOUT ROWID;
CREATE INDEX status_marks_act ON status_marks (act);

CREATE TABLE drill_denials (
  act      INTEGER NOT NULL REFERENCES status_acts (seq),
  leaf     TEXT NOT NULL CHECK (length(leaf) = 64),
  denied   INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at  INTEGER NOT NULL,
  PRIMARY KEY (act, leaf)
) STRICT, WITHOUT ROWID;

CREATE INDEX tokens_agent ON tokens (agent_id, expires_at);
CREATE INDEX tokens_principal ON tokens (principal, expires_at);
)sql";

// Keys that were ended though they are none of ours. Whoever ends a reservation is judged by the audience for which it was made. That a daemon had stopped told nothing
// beyond its checkpoint's value.
constexpr const char* kEndings = R"sql(
CREATE TABLE ended_holders (
  thumbprint TEXT PRIMARY KEY CHECK (length(thumbprint) = 43),
  ended_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX join_tokens_agent ON join_tokens (agent_id);
CREATE INDEX join_tokens_expiry ON join_tokens (expires_at);
CREATE INDEX status_acts_drills ON status_acts (until) WHERE lifted_at IS NULL AND kind = 'drill';

ALTER TABLE reservations ADD COLUMN audience TEXT NOT NULL DEFAULT '';

ALTER TABLE checkpoint DROP COLUMN sealed;
ALTER TABLE checkpoint ADD COLUMN beginning INTEGER NOT NULL DEFAULT 0 CHECK (beginning IN (0, 1));
)sql";

constexpr const char* kAttestation = R"sql(
CREATE TABLE hosts (
  name           TEXT NOT NULL PRIMARY KEY CHECK (length(name) > 0),
  backend        TEXT NOT NULL,
  state          TEXT NOT NULL CHECK (state IN ('waiting', 'enrolled', 'quarantined')),
  reason         TEXT NOT NULL,
  worth          TEXT,
  endorsement    TEXT NOT NULL,
  ek_name        TEXT NOT NULL UNIQUE CHECK (length(ek_name) > 0),
  ek_public      BLOB NOT NULL,
  ak_public      BLOB NOT NULL,
  srk_public     BLOB NOT NULL,
  ek_fingerprint TEXT NOT NULL CHECK (length(ek_fingerprint) = 64),
  manufacturer   TEXT NOT NULL,
  first_clock    INTEGER NOT NULL,
  first_resets   INTEGER NOT NULL,
  first_restarts INTEGER NOT NULL,
  first_safe     INTEGER NOT NULL,
  first_firmware INTEGER NOT NULL,
  first_at       INTEGER NOT NULL,
  last_clock     INTEGER NOT NULL,
  last_resets    INTEGER NOT NULL,
  last_restarts  INTEGER NOT NULL,
  last_safe      INTEGER NOT NULL,
  last_firmware  INTEGER NOT NULL,
  last_at        INTEGER NOT NULL,
  measured       INTEGER NOT NULL,
  measured_value TEXT NOT NULL,
  CHECK (state <> 'enrolled' OR worth IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX hosts_backend ON hosts (backend) WHERE backend <> '';

CREATE TABLE attestation_results (
  thumbprint  TEXT NOT NULL CHECK (length(thumbprint) = 43),
  issuer      TEXT NOT NULL CHECK (length(issuer) > 0),
  host        TEXT NOT NULL,
  custody     TEXT NOT NULL,
  evidence_at INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  compact     TEXT NOT NULL CHECK (length(compact) > 0),
  PRIMARY KEY (thumbprint, issuer)
) STRICT, WITHOUT ROWID;
CREATE INDEX attestation_results_expiry ON attestation_results (expires_at);
CREATE INDEX attestation_results_host ON attestation_results (host);

CREATE TABLE measurements (
  backend    TEXT NOT NULL,
  seq        INTEGER NOT NULL CHECK (seq > 0),
  at         INTEGER NOT NULL,
  agent      TEXT NOT NULL CHECK (length(agent) > 0),
  executable TEXT NOT NULL CHECK (length(executable) = 64),
  manifest   TEXT NOT NULL CHECK (length(manifest) = 64),
  PRIMARY KEY (backend, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE attestation_keys (
  backend TEXT NOT NULL PRIMARY KEY CHECK (length(backend) > 0),
  blob    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// The audit log as a Merkle tree, with an identity of its own. Of its inner nodes those are kept from which the others are
// soon made: one for 256 entries, one for 256 of these, and so on. What was recorded before are its first leaves, of which
// the step's second half makes the nodes.
constexpr const char* kAuditTree = R"sql(
CREATE TABLE audit_log (
  only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
  id       BLOB NOT NULL CHECK (length(id) = 16),
  origin   TEXT
) STRICT;
INSERT INTO audit_log (only_one, id) VALUES (1, randomblob(16));

ALTER TABLE audit DROP COLUMN sha256;

CREATE TABLE audit_nodes (
  level INTEGER NOT NULL CHECK (level > 0 AND level % 8 = 0),
  idx   INTEGER NOT NULL CHECK (idx >= 0),
  hash  BLOB NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER audit_nodes_stay BEFORE DELETE ON audit_nodes BEGIN
  SELECT RAISE(ABORT, 'nodes of the audit log are never deleted');
END;
CREATE TRIGGER audit_nodes_keep_hashes BEFORE UPDATE ON audit_nodes BEGIN
  SELECT RAISE(ABORT, 'nodes of the audit log are never changed');
END;

-- `ref` is the first half of the SHA-256 of an identifier that an entry has.
CREATE TABLE audit_refs (
  ref      BLOB NOT NULL CHECK (length(ref) = 16),
  sequence INTEGER NOT NULL,
  PRIMARY KEY (ref, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_checkpoints (
  size INTEGER PRIMARY KEY CHECK (size > 0),
  at   INTEGER NOT NULL,
  note TEXT NOT NULL CHECK (length(note) > 0)
) STRICT;
CREATE TRIGGER audit_checkpoints_stay BEFORE DELETE ON audit_checkpoints BEGIN
  SELECT RAISE(ABORT, 'checkpoints of the audit log are never deleted');
END;
CREATE TRIGGER audit_checkpoints_keep_notes BEFORE UPDATE ON audit_checkpoints BEGIN
  SELECT RAISE(ABORT, 'checkpoints of the audit log are never changed');
END;
)sql";

constexpr const char* kAnomalies = R"sql(
CREATE TABLE baselines (
  agent   TEXT NOT NULL PRIMARY KEY CHECK (length(agent) > 0),
  learned TEXT NOT NULL CHECK (length(learned) > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE anomalies (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  anomaly TEXT NOT NULL CHECK (length(anomaly) > 0)
) STRICT;
)sql";

// Whether the counter is about to be made is known to the daemon that makes it, and to nobody later.
constexpr const char* kNoBeginning = "ALTER TABLE checkpoint DROP COLUMN beginning";

// Without a row there is nobody to tell.
constexpr const char* kToldAnomalies = R"sql(
CREATE TABLE told_anomalies (
  only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
  number   INTEGER NOT NULL CHECK (number >= 0)
) STRICT;
)sql";

// A version has its envelope until it is revoked; one is active, one retires, one is pending.
constexpr const char* kVault = R"sql(
CREATE TABLE vault_key (
  only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
  backend  TEXT NOT NULL CHECK (length(backend) > 0),
  key_id   TEXT NOT NULL CHECK (length(key_id) > 0),
  sealed   BLOB NOT NULL CHECK (length(sealed) > 0),
  made_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE credentials (
  id            TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
  name          TEXT NOT NULL UNIQUE CHECK (length(name) > 0),
  type          TEXT NOT NULL CHECK (length(type) > 0),
  scope         TEXT NOT NULL CHECK (length(scope) > 0),
  tools         TEXT NOT NULL,
  owner         TEXT NOT NULL,
  environment   TEXT NOT NULL,
  created_at    INTEGER NOT NULL,
  rotate_on_hit INTEGER NOT NULL CHECK (rotate_on_hit IN (0, 1)),
  revision      INTEGER NOT NULL CHECK (revision > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE credential_versions (
  credential   TEXT NOT NULL REFERENCES credentials (id),
  number       INTEGER NOT NULL CHECK (number > 0),
  state        TEXT NOT NULL CHECK (state IN ('pending', 'active', 'retiring', 'revoked')),
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER,
  activated_at INTEGER,
  retire_at    INTEGER,
  revoked_at   INTEGER,
  last_used_at INTEGER,
  uses         INTEGER NOT NULL DEFAULT 0,
  data_key     BLOB,
  value        BLOB,
  PRIMARY KEY (credential, number),
  CHECK ((state = 'revoked') = (value IS NULL)),
  CHECK ((value IS NULL) = (data_key IS NULL)),
  CHECK ((state = 'revoked') = (revoked_at IS NOT NULL)),
  CHECK ((state = 'retiring') = (retire_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX credential_versions_serving ON credential_versions (credential, state) WHERE state <> 'revoked';

CREATE TABLE credential_uses (
  id         TEXT NOT NULL PRIMARY KEY CHECK (length(id) > 0),
  credential TEXT NOT NULL,
  version    INTEGER NOT NULL,
  until      INTEGER NOT NULL,
  FOREIGN KEY (credential, version) REFERENCES credential_versions (credential, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX credential_uses_of_version ON credential_uses (credential, version, until);
CREATE INDEX credential_uses_by_end ON credential_uses (until);
)sql";

// What a runtime may do once, and what came of it. Without references: the tokens and credentials that it names may go before it.
constexpr const char* kPermits = R"sql(
CREATE TABLE permits (
  id          TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
  decision    TEXT NOT NULL CHECK (length(decision) > 0),
  runtime     TEXT NOT NULL CHECK (length(runtime) > 0),
  token       TEXT NOT NULL,
  key         TEXT NOT NULL,
  tool        TEXT NOT NULL CHECK (length(tool) > 0),
  scope       TEXT NOT NULL,
  credential  TEXT NOT NULL,
  arguments   TEXT NOT NULL CHECK (length(arguments) = 64),
  given_at    INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  released_at INTEGER,
  ended_at    INTEGER,
  receipt     TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX permits_open ON permits (given_at) WHERE ended_at IS NULL;
CREATE INDEX permits_by_end ON permits (expires_at);
)sql";

// Who issues what a credential stands for, how long what is issued for a permit may live, and the grants of persons from which
// issuers live.
constexpr const char* kIssuers = R"sql(
ALTER TABLE credentials ADD COLUMN issuer TEXT NOT NULL DEFAULT '';
ALTER TABLE permits ADD COLUMN leaf_expires_at INTEGER NOT NULL DEFAULT 0;

CREATE TABLE issuer_grants (
  issuer     TEXT NOT NULL PRIMARY KEY CHECK (length(issuer) > 0),
  state      TEXT NOT NULL CHECK (state IN ('usable', 'refreshing', 'uncertain', 'ended')),
  since      INTEGER NOT NULL,
  generation INTEGER NOT NULL CHECK (generation > 0),
  data_key   BLOB,
  value      BLOB,
  CHECK ((value IS NULL) = (data_key IS NULL)),
  CHECK ((state = 'ended') = (value IS NULL))
) STRICT, WITHOUT ROWID;
)sql";

// References of the entries that are not in `audit_refs` yet: 16 octets each.
constexpr const char* kRecentRefs = R"sql(
CREATE TABLE audit_recent (
  sequence INTEGER PRIMARY KEY,
  refs     BLOB NOT NULL CHECK (length(refs) > 0 AND length(refs) % 16 = 0)
) STRICT;
)sql";

// Values that gates let through since an approval for them was used once, as seals; and the grants that are behind a gate.
constexpr const char* kGates = R"sql(
CREATE TABLE let_through (
  gate  TEXT NOT NULL CHECK (length(gate) > 0),
  value TEXT NOT NULL CHECK (length(value) = 64),
  at    INTEGER NOT NULL,
  PRIMARY KEY (gate, value)
) STRICT, WITHOUT ROWID;

CREATE TABLE gated_tokens (
  token TEXT NOT NULL PRIMARY KEY REFERENCES tokens (id),
  gate  TEXT NOT NULL CHECK (length(gate) > 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX parked_calls_denied ON parked_calls (subject, expires_at) WHERE state = 'denied';
)sql";

// Who is frozen, the agent '' standing for all of them, and whose slot of a device's kill switch is which. A slot is taken before its
// agent is registered, so it refers to none.
constexpr const char* kFreezes = R"sql(
CREATE TABLE freezes (
  agent_id TEXT PRIMARY KEY,
  since    INTEGER NOT NULL,
  reason   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE freeze_slots (
  agent_id TEXT PRIMARY KEY,
  slot     INTEGER NOT NULL UNIQUE CHECK (slot BETWEEN 1 AND 959),
  taken_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// Whose key something was asked with, and under whose key its chain began: so that what is known of one agent is found, its newest
// first, without looking at anybody else's.
constexpr const char* kTrails = R"sql(
ALTER TABLE permits ADD COLUMN agent_id TEXT NOT NULL DEFAULT '';
UPDATE permits SET agent_id = coalesce(
  (SELECT owner FROM keys WHERE thumbprint = permits.key), (SELECT agent_id FROM tokens WHERE id = permits.token), '');
CREATE INDEX permits_by_agent ON permits (agent_id, given_at);
CREATE INDEX permits_by_runtime ON permits (runtime, given_at);

ALTER TABLE parked_calls ADD COLUMN agent_id TEXT NOT NULL DEFAULT '';
ALTER TABLE parked_calls ADD COLUMN first_agent_id TEXT NOT NULL DEFAULT '';
UPDATE parked_calls SET
  agent_id = coalesce((SELECT owner FROM keys WHERE thumbprint = parked_calls.key),
                      (SELECT agent_id FROM tokens WHERE id = parked_calls.token), ''),
  first_agent_id = coalesce((SELECT owner FROM keys WHERE thumbprint = parked_calls.first_key), '');
CREATE INDEX parked_calls_by_agent ON parked_calls (agent_id);
CREATE INDEX parked_calls_by_first_agent ON parked_calls (first_agent_id);
CREATE INDEX parked_calls_by_runtime ON parked_calls (runtime);
)sql";

// Whose keys open the key behind a gate, one after the other with a space between. Of keys that were made before nobody knows.
constexpr const char* kGateKeyApprovers = R"sql(
CREATE TABLE gate_key_approvers (
  key       TEXT NOT NULL PRIMARY KEY REFERENCES keys (thumbprint),
  approvers TEXT NOT NULL CHECK (length(approvers) >= 43),
  seal      BLOB NOT NULL CHECK (length(seal) = 32)
) STRICT, WITHOUT ROWID;
)sql";

constexpr std::array kMigrations{kFirst,           kBackendPins,
                                 kMasterPin,       kKeys,
                                 kLedger,          kJoinTokens,
                                 kStatuses,        kEndings,
                                 kAttestation,     kAuditTree,
                                 kAnomalies,       kNoBeginning,
                                 kToldAnomalies,   kVault,
                                 kPermits,         kIssuers,
                                 kParkedCalls,     kRecentRefs,
                                 kApprovers,       kGates,
                                 kFreezes,         kDecidedDocuments,
                                 kTrails,          kApprovalNotices,
                                 kGateKeyApprovers};

// What SQL cannot do of a step.
Status complete_step(Database& database, const char* step) {
  return step == kAuditTree ? AuditTree::plant(database) : Status{};
}

Status write_version(Database& database, std::size_t version) {
  const std::string statement = "PRAGMA user_version = " + std::to_string(version);
  return database.execute(statement.c_str());
}

}  // namespace

std::span<const char* const> migrations() noexcept { return kMigrations; }

Result<std::size_t> schema_version(Database& database) {
  CHANCERY_ASSIGN(const std::int64_t version, database.number("PRAGMA user_version"));
  CHANCERY_ASSIGN(const std::int64_t application, database.number("PRAGMA application_id"));
  CHANCERY_ASSIGN(const std::int64_t objects, database.number("SELECT count(*) FROM sqlite_schema"));
  const bool empty = application == 0 && version == 0 && objects == 0;
  if (!empty && (application != kApplicationId || version <= 0)) {
    return Error{
        ErrorCode::kStoreCorrupt,
        "chancery.db in the state folder is not a database of ours: move it away or name another folder"};
  }
  const auto known = static_cast<std::size_t>(version);
  if (known > kMigrations.size()) {
    return Error{ErrorCode::kStoreUnavailable,
                 "a newer chanceryd wrote this state folder: run that version or restore an older backup",
                 known};
  }
  return known;
}

Status rewrite_version(Database& database) { return write_version(database, kMigrations.size()); }

Status migrate(Database& database, std::size_t target) {
  CHANCERY_ASSIGN(const std::size_t version, schema_version(database));
  // While a table is built anew, what refers to it must not follow the old one's rows.
  if (version < target) CHANCERY_TRY(database.execute("PRAGMA foreign_keys = OFF"));
  for (std::size_t step = version; step < target; ++step) {
    CHANCERY_ASSIGN(Transaction transaction, Transaction::begin(database));
    CHANCERY_TRY(database.execute(kMigrations[step]));
    CHANCERY_TRY(complete_step(database, kMigrations[step]));
    CHANCERY_TRY(write_version(database, step + 1));
    CHANCERY_ASSIGN(const std::int64_t dangling,
                    database.number("SELECT count(*) FROM pragma_foreign_key_check"));
    if (dangling != 0) {
      return Error{ErrorCode::kStoreCorrupt,
                   "records in the database refer to others that are not there: restore it from a backup"};
    }
    CHANCERY_TRY(transaction.commit());
  }
  return database.execute("PRAGMA foreign_keys = ON");
}

}  // namespace chancery::store
