#include "daemon/store/audit_tree.hpp"

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>

#include "daemon/store/audit_refs.hpp"
#include "daemon/store/sqlite_rows.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::store {
namespace {

using audit::Subtree;

// A node is kept for every 256 of the kept ones below it.
constexpr unsigned kLevelsBetween = 8;

constexpr Error kAltered{
    ErrorCode::kStoreCorrupt,
    "entries of the audit log are not those that were recorded: the database was changed by "
    "another hand; keep the state folder, and see docs/operations/audit.md"};

static_assert(kBlockEntries == std::uint64_t{1} << kLevelsBetween);

constexpr int kFormat = 1;

constexpr const char* kInsertEntry = "INSERT INTO audit (sequence, at, entry) VALUES (?, ?, ?)";
constexpr const char* kInsertNode = "INSERT INTO audit_nodes (level, idx, hash) VALUES (?, ?, ?)";
constexpr const char* kSize = "SELECT coalesce(max(sequence), 0) FROM audit";
constexpr const char* kEntries = "SELECT entry FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?";
constexpr const char* kNodes =
    "SELECT hash FROM audit_nodes WHERE level = ? AND idx >= ? ORDER BY idx LIMIT ?";

constexpr Error kDamaged{ErrorCode::kStoreCorrupt,
                         "the audit log is damaged: entries or nodes of its tree are missing; restore the "
                         "newest backup, and see docs/operations/audit.md"};

Result<Sha256Digest> read_hash(const Query& row) {
  const Bytes octets = row.octets(0);
  Sha256Digest hash;
  if (octets.size() != hash.size()) return kDamaged;
  std::ranges::copy(octets, hash.begin());
  return hash;
}

Result<Sha256Digest> read_leaf(const Query& row) { return audit::leaf_hash(as_bytes(row.text(0))); }

/// The perfect subtree of which these rows are the leaves.
/// \param read  const Query& → Result<Sha256Digest>
template <typename Read>
Result<Sha256Digest> hash_rows(Query& rows, std::uint64_t expected, Read read) {
  audit::Frontier subtree;
  while (true) {
    CHANCERY_ASSIGN(const bool row, rows.step());
    if (!row) break;
    CHANCERY_ASSIGN(const Sha256Digest hash, read(rows));
    subtree.append(hash);
  }
  return subtree.size() == expected ? Result<Sha256Digest>(subtree.root()) : kDamaged;
}

// \param from  a level whose nodes are kept, or the leaves'
Result<Sha256Digest> hash_from(Database& database, const Subtree& wanted, unsigned from) {
  const std::uint64_t count = std::uint64_t{1} << (wanted.level - from);
  const auto first = static_cast<std::int64_t>(wanted.index * count);
  const auto limit = static_cast<std::int64_t>(count);
  if (from == 0) {
    CHANCERY_ASSIGN(Query entries, database.query(kEntries));
    entries.bind(first).bind(limit);
    return hash_rows(entries, count, read_leaf);
  }
  CHANCERY_ASSIGN(Query nodes, database.query(kNodes));
  nodes.bind(std::int64_t{from}).bind(first).bind(limit);
  return hash_rows(nodes, count, read_hash);
}

// From the next kept level below, or from this one.
Result<Sha256Digest> hash_of(Database& database, const Subtree& wanted) {
  return hash_from(database, wanted, wanted.level - wanted.level % kLevelsBetween);
}

Status check_node(Database& database, const Subtree& kept) {
  CHANCERY_ASSIGN(const Sha256Digest said, hash_from(database, kept, kept.level));
  CHANCERY_ASSIGN(const Sha256Digest found, hash_from(database, kept, kept.level - kLevelsBetween));
  if (said == found) return {};
  return Error{kAltered.code, kAltered.what, (kept.index << kept.level) + 1};
}

}  // namespace

std::string audit_text(const AuditEntry& entry, std::string_view policy) {
  json::Node node = entry.members;
  node.set("v", kFormat);
  node.set("at", entry.at.time_since_epoch().count());
  node.set("action", entry.action);
  if (!policy.empty()) node.set("policy", policy);
  return json::to_jcs(node);
}

Result<std::uint64_t> check_blocks(Database& database, std::uint64_t size, std::uint64_t block,
                                   std::size_t count) {
  const std::uint64_t end = std::min(size / kBlockEntries, block + count);
  for (; block < end; ++block) {
    Subtree kept{kLevelsBetween, block};
    CHANCERY_TRY(check_node(database, kept));
    while (kept.index % kBlockEntries == kBlockEntries - 1) {  // the last one below the next
      kept = {kept.level + kLevelsBetween, kept.index / kBlockEntries};
      CHANCERY_TRY(check_node(database, kept));
    }
  }
  return block;
}

audit::SubtreeHash subtree_hashes(Database& database) {
  return [&database](const Subtree& wanted) { return hash_of(database, wanted); };
}

Status AuditTree::plant(Database& database) {
  AuditTree tree;
  CHANCERY_ASSIGN(Query entries, database.query(kEntries));
  entries.bind(std::int64_t{0}).bind(std::int64_t{-1});
  while (true) {
    CHANCERY_ASSIGN(const bool row, entries.step());
    if (!row) return {};
    CHANCERY_TRY(tree.add_leaf(database, entries.text(0)));
  }
}

Result<AuditTree> AuditTree::load(Database& database) {
  CHANCERY_ASSIGN(const std::int64_t entries, database.number(kSize));
  const auto size = static_cast<std::uint64_t>(entries);
  AuditTree tree;
  for (unsigned level = audit::Frontier::kLevels; level-- > 0;) {
    if ((size >> level & 1) == 0) continue;
    CHANCERY_ASSIGN(const Sha256Digest hash, hash_of(database, {level, tree.size() >> level}));
    tree.frontier_.append_subtree(level, hash);
  }
  return tree;
}

Result<std::uint64_t> AuditTree::append(Database& database, const AuditEntry& entry, std::string_view text) {
  const auto sequence = static_cast<std::int64_t>(size() + 1);
  {
    CHANCERY_ASSIGN(Query insert, database.query(kInsertEntry));
    CHANCERY_TRY(insert.bind(sequence).bind(entry.at).bind(text).run());
  }
  CHANCERY_TRY(keep_refs(database, sequence, entry.refs));
  CHANCERY_TRY(add_leaf(database, text));
  return size();
}

Status AuditTree::write_node(Database& database, Subtree at, const Sha256Digest& hash) {
  CHANCERY_ASSIGN(Query insert, database.query(kInsertNode));
  return insert.bind(std::int64_t{at.level}).bind(static_cast<std::int64_t>(at.index)).bind(hash).run();
}

Status AuditTree::add_leaf(Database& database, std::string_view entry) {
  Status written;
  frontier_.append(audit::leaf_hash(as_bytes(entry)), [&](const Subtree& subtree, const Sha256Digest& hash) {
    const bool is_kept = subtree.level > 0 && subtree.level % kLevelsBetween == 0;
    if (written && is_kept) written = write_node(database, subtree, hash);
  });
  return written;
}

}  // namespace chancery::store
