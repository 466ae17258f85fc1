#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <chancery/bytes.hpp>

namespace chancery::api {

// The messages around the audit log (docs/protocol/audit.md), as values. Entries are counted from 1; an entry is the leaf
// of index `number` - 1 in the tree. Hashes are base64 in JSON, as in checkpoints.

/// An entry as it stands in the log: `json` has exactly the octets that the leaf's hash is over.
struct AuditEntry {
  std::uint64_t number = 0;
  std::string json;
  bool operator==(const AuditEntry&) const = default;
};

/// Which entries are asked for, in the order in which they were written.
struct AuditQuery {
  std::uint64_t after = 0;  ///< the number of an entry: those behind it; 0: from the first one
  std::size_t limit = 100;  ///< 1 to 1000
  std::string
      ref{};  ///< only those that name this token, decision, request, principal, agent or other reference
  bool is_tail = false;  ///< the last `limit` of them, whatever `after` says
};

struct AuditPage {
  std::vector<AuditEntry> entries;
  std::uint64_t size = 0;  ///< how many entries the log has
};

/// Proves that an entry stands in the log's tree of that size.
struct AuditInclusion {
  std::uint64_t number = 0;
  std::uint64_t size = 0;
  Sha256Digest leaf{};
  std::vector<Sha256Digest> path;  ///< from the leaf upwards
  bool operator==(const AuditInclusion&) const = default;
};

/// Proves that the log's tree of the first size is the beginning of that of the second.
struct AuditConsistency {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  std::vector<Sha256Digest> path;
  bool operator==(const AuditConsistency&) const = default;
};

/// A signed note about the log's tree, as it was made.
struct AuditCheckpoint {
  std::uint64_t size = 0;
  std::int64_t at = 0;
  std::string note;
  bool operator==(const AuditCheckpoint&) const = default;
};

struct AuditCheckpointPage {
  std::vector<AuditCheckpoint> checkpoints;  ///< oldest first
};

/// One entry with what shows that it is the log's.
struct ProvedAuditEntry {
  AuditEntry entry;
  Sha256Digest leaf{};
  std::optional<AuditInclusion>
      inclusion{};  ///< in the newest checkpoint's tree; none: it is younger than that
  std::optional<AuditCheckpoint> checkpoint{};
  /// With which the hash of its parameters was made; empty when it has none. Never in what the log exports.
  Bytes salt{};
};

/// A key that signs checkpoints.
struct AuditKey {
  std::string verifier_key;  ///< as tools for signed notes take it: NAME+ID+KEY
  std::string jwk;
  std::string jkt;
  std::string backend;
  std::string state;  ///< as of api::Key
  std::int64_t created_at = 0;
};

struct AuditKeys {
  std::string origin;          ///< the log's name, in every checkpoint of its
  std::vector<AuditKey> keys;  ///< newest first
};

}  // namespace chancery::api
