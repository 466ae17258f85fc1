#pragma once

namespace chancery::store {

// Steps of the schema (migrations.hpp) that are about what waits for persons, and about those who decide.

// A call that waits for a person. Without references, as permits. Of what waits there is one for each thing that is asked for.
// The document is there as long as it waits: what has ended is not decided about, and is kept in numbers that nothing bounds.
// Which states there are the daemon says.
inline constexpr const char* kParkedCalls = R"sql(
CREATE TABLE parked_calls (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT NOT NULL UNIQUE CHECK (length(id) = 32),
  document   TEXT NOT NULL,
  digest     TEXT NOT NULL CHECK (length(digest) = 64),
  subject    TEXT NOT NULL CHECK (length(subject) = 64),
  runtime    TEXT NOT NULL CHECK (length(runtime) > 0),
  token      TEXT NOT NULL CHECK (length(token) > 0),
  key        TEXT NOT NULL CHECK (length(key) > 0),
  first_key  TEXT NOT NULL CHECK (length(first_key) > 0),
  principal  TEXT NOT NULL,
  tool       TEXT NOT NULL CHECK (length(tool) > 0),
  state      TEXT NOT NULL CHECK (length(state) > 0),
  asked_at   INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ended_at   INTEGER,
  CHECK ((state = 'pending') = (ended_at IS NULL)),
  CHECK ((state = 'pending') = (length(document) > 0))
) STRICT;
CREATE UNIQUE INDEX parked_calls_by_subject ON parked_calls (subject) WHERE state = 'pending';
CREATE INDEX parked_calls_by_key ON parked_calls (key) WHERE state = 'pending';
CREATE INDEX parked_calls_by_first_key ON parked_calls (first_key) WHERE state = 'pending';
CREATE INDEX parked_calls_by_expiry ON parked_calls (expires_at) WHERE state = 'pending';
CREATE INDEX parked_calls_by_end ON parked_calls (ended_at) WHERE ended_at IS NOT NULL;
)sql";

// What becomes of a request when people decide. One that was approved is not at its end: it keeps its document until it is used.
// What waited before names no gate, so that nobody can approve it. A vote whose key was revoked stays, and counts no more.
inline constexpr const char* kApprovers = R"sql(
CREATE TABLE requests (
  seq            INTEGER PRIMARY KEY AUTOINCREMENT,
  id             TEXT NOT NULL UNIQUE CHECK (length(id) = 32),
  document       TEXT NOT NULL,
  digest         TEXT NOT NULL CHECK (length(digest) = 64),
  subject        TEXT NOT NULL CHECK (length(subject) = 64),
  runtime        TEXT NOT NULL CHECK (length(runtime) > 0),
  token          TEXT NOT NULL CHECK (length(token) > 0),
  key            TEXT NOT NULL CHECK (length(key) > 0),
  first_key      TEXT NOT NULL CHECK (length(first_key) > 0),
  principal      TEXT NOT NULL,
  tool           TEXT NOT NULL CHECK (length(tool) > 0),
  state          TEXT NOT NULL CHECK (length(state) > 0),
  asked_at       INTEGER NOT NULL,
  expires_at     INTEGER NOT NULL,
  ended_at       INTEGER,
  kind           TEXT NOT NULL CHECK (length(kind) > 0),
  gates          TEXT NOT NULL,
  requesters     TEXT NOT NULL,
  lifetime       INTEGER NOT NULL,
  approved_at    INTEGER,
  approved_until INTEGER,
  CHECK ((state IN ('pending', 'approved')) = (ended_at IS NULL)),
  CHECK ((ended_at IS NULL) = (length(document) > 0)),
  CHECK ((approved_at IS NULL) = (approved_until IS NULL)),
  CHECK ((state IN ('approved', 'used', 'lapsed')) = (approved_at IS NOT NULL))
) STRICT;
INSERT INTO requests SELECT seq, id, document, digest, subject, runtime, token, key, first_key, principal, tool, state,
  asked_at, expires_at, ended_at, 'call', '[]', '[]', 0, NULL, NULL FROM parked_calls ORDER BY seq;
DROP TABLE parked_calls;
ALTER TABLE requests RENAME TO parked_calls;
CREATE UNIQUE INDEX parked_calls_by_subject ON parked_calls (subject) WHERE ended_at IS NULL;
CREATE INDEX parked_calls_by_key ON parked_calls (key) WHERE state = 'pending';
CREATE INDEX parked_calls_by_first_key ON parked_calls (first_key) WHERE state = 'pending';
CREATE INDEX parked_calls_by_expiry ON parked_calls (expires_at) WHERE state = 'pending';
CREATE INDEX parked_calls_by_lapse ON parked_calls (approved_until) WHERE state = 'approved';
CREATE INDEX parked_calls_by_end ON parked_calls (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE approval_votes (
  seq              INTEGER PRIMARY KEY AUTOINCREMENT,
  call             INTEGER NOT NULL REFERENCES parked_calls (seq) ON DELETE CASCADE,
  principal        TEXT NOT NULL CHECK (length(principal) > 0),
  key              TEXT NOT NULL CHECK (length(key) = 43),
  verdict          TEXT NOT NULL CHECK (verdict IN ('approve', 'deny')),
  gates            TEXT NOT NULL,
  at               INTEGER NOT NULL,
  reason           TEXT NOT NULL,
  jws              TEXT NOT NULL CHECK (length(jws) > 0),
  policy_signature TEXT NOT NULL,
  voided_at        INTEGER
) STRICT;
CREATE UNIQUE INDEX approval_votes_by_person ON approval_votes (call, principal) WHERE voided_at IS NULL;
CREATE INDEX approval_votes_by_call ON approval_votes (call);
CREATE INDEX approval_votes_by_key ON approval_votes (key) WHERE voided_at IS NULL;

CREATE TABLE approvers (
  principal TEXT NOT NULL PRIMARY KEY CHECK (length(principal) > 0),
  member_of TEXT NOT NULL,
  seal      BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE approver_keys (
  seq           INTEGER PRIMARY KEY AUTOINCREMENT,
  jkt           TEXT NOT NULL UNIQUE CHECK (length(jkt) = 43),
  principal     TEXT NOT NULL REFERENCES approvers (principal),
  kind          TEXT NOT NULL CHECK (length(kind) > 0),
  jwk           TEXT NOT NULL,
  credential_id TEXT NOT NULL,
  state         TEXT NOT NULL CHECK (state IN ('active', 'replaced', 'revoked')),
  enrolled_at   INTEGER NOT NULL,
  enrolled_by   TEXT NOT NULL CHECK (length(enrolled_by) > 0),
  ended_at      INTEGER,
  seal          BLOB NOT NULL,
  CHECK ((state = 'active') = (ended_at IS NULL))
) STRICT;
CREATE INDEX approver_keys_by_principal ON approver_keys (principal, seq);
CREATE UNIQUE INDEX approver_keys_by_credential ON approver_keys (credential_id) WHERE credential_id <> '';
CREATE INDEX approver_keys_active ON approver_keys (principal) WHERE state = 'active';
)sql";

// What lists show of a request without its document, which is read from it once; amounts go with the document. By its matter a
// denial is found, however the same is asked for again. And of what was decided the last document for each thing that is asked for,
// so that whoever decides the next one sees what is another. The indexes are two, since one of all states would be taken in place of
// those by key and time.
inline constexpr const char* kDecidedDocuments = R"sql(
ALTER TABLE parked_calls ADD COLUMN agent TEXT NOT NULL DEFAULT '';
ALTER TABLE parked_calls ADD COLUMN risk TEXT NOT NULL DEFAULT '';
ALTER TABLE parked_calls ADD COLUMN matter TEXT NOT NULL DEFAULT '';
ALTER TABLE parked_calls ADD COLUMN amounts TEXT NOT NULL DEFAULT '' CHECK (ended_at IS NULL OR amounts = '');
CREATE INDEX parked_calls_open ON parked_calls (state) WHERE ended_at IS NULL;
CREATE INDEX parked_calls_ended ON parked_calls (state) WHERE ended_at IS NOT NULL;
DROP INDEX parked_calls_denied;
CREATE INDEX parked_calls_denied ON parked_calls (matter, expires_at) WHERE state = 'denied';

CREATE TABLE decided_documents (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  kind       TEXT NOT NULL CHECK (length(kind) > 0),
  tool       TEXT NOT NULL CHECK (length(tool) > 0),
  principal  TEXT NOT NULL,
  key        TEXT NOT NULL CHECK (length(key) > 0),
  id         TEXT NOT NULL UNIQUE CHECK (length(id) = 32),
  state      TEXT NOT NULL CHECK (state IN ('approved', 'denied')),
  decided_at INTEGER NOT NULL,
  digest     TEXT NOT NULL CHECK (length(digest) = 64),
  document   TEXT NOT NULL CHECK (length(document) > 0),
  UNIQUE (kind, tool, principal, key)
) STRICT;
CREATE INDEX decided_documents_by_time ON decided_documents (decided_at);
)sql";

// What becomes of requests while somebody elsewhere is told of it: noted with each change, whatever makes it. Nobody is told while
// `told_approvals` is empty. Of more than 4096 notes the oldest go.
inline constexpr const char* kApprovalNotices = R"sql(
ALTER TABLE parked_calls ADD COLUMN scope TEXT NOT NULL DEFAULT '';

CREATE TABLE approval_notices (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  request TEXT NOT NULL,
  state   TEXT NOT NULL,
  at      INTEGER NOT NULL
) STRICT;
CREATE TABLE told_approvals (
  only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
  number   INTEGER NOT NULL CHECK (number >= 0)
) STRICT;

CREATE TRIGGER approval_notices_are_bounded AFTER INSERT ON approval_notices BEGIN
  DELETE FROM approval_notices WHERE id <= new.id - 4096;
END;
CREATE TRIGGER parked_calls_tell_beginning AFTER INSERT ON parked_calls
  WHEN EXISTS (SELECT 1 FROM told_approvals) BEGIN
  INSERT INTO approval_notices (request, state, at) VALUES (new.id, new.state, new.asked_at);
END;
CREATE TRIGGER parked_calls_tell_change AFTER UPDATE OF state ON parked_calls
  WHEN new.state <> old.state AND EXISTS (SELECT 1 FROM told_approvals) BEGIN
  INSERT INTO approval_notices (request, state, at)
    VALUES (new.id, new.state, coalesce(new.ended_at, new.approved_at, new.asked_at));
END;
)sql";

}  // namespace chancery::store
