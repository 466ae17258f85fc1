#pragma once

namespace chancery::store {

// A step of the schema; migrations.cpp has their order.

// Values that gates let through since an approval for them was used once, as hashes; and the grants that are behind a gate.
inline constexpr const char* kGates = R"sql(
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

}  // namespace chancery::store
