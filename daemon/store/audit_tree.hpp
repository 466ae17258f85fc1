#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <chancery/result.hpp>

#include "daemon/store/sqlite.hpp"
#include "daemon/store/store.hpp"
#include "sdk/audit/merkle.hpp"

namespace chancery::store {

/// An entry as it stands in the log, in JCS.
/// \param policy  the version of what governs; empty: unknown
[[nodiscard]] std::string audit_text(const AuditEntry& entry, std::string_view policy);

/// The Merkle tree over the entries of the audit log (docs/protocol/audit.md): its leaves are the rows of `audit`, its
/// right edge is in memory, and of its inner nodes the database keeps every eighth level. A value: whoever gives a
/// transaction up goes back to a copy. Whoever uses it holds the connection.
class AuditTree {
 public:
  /// Makes the nodes for entries that were recorded when there was no tree.
  [[nodiscard]] static Status plant(Database& database);

  /// Reads the right edge. kStoreCorrupt when entries or nodes of it are missing.
  [[nodiscard]] static Result<AuditTree> load(Database& database);

  /// Writes an entry with its references, and the nodes that it completes.
  /// \param text  the entry as audit_text() makes it, perhaps without what must not stand in it
  /// \return its sequence
  [[nodiscard]] Result<std::uint64_t> append(Database& database, const AuditEntry& entry,
                                             std::string_view text);

  [[nodiscard]] std::uint64_t size() const noexcept { return frontier_.size(); }

 private:
  [[nodiscard]] static Status write_node(Database& database, audit::Subtree at, const Sha256Digest& hash);
  [[nodiscard]] Status add_leaf(Database& database, std::string_view entry);

  audit::Frontier frontier_;
};

/// How many entries are below each of the lowest nodes that are kept.
inline constexpr std::uint64_t kBlockEntries = 256;

/// Holds what is below the kept nodes against them: of `count` blocks of entries from `block` on, and of the nodes above
/// that they complete.
/// \param size  of the tree
/// \return the next block, size / kBlockEntries at the end; kStoreCorrupt, `native` the first entry of what is another
[[nodiscard]] Result<std::uint64_t> check_blocks(Database& database, std::uint64_t size, std::uint64_t block,
                                                 std::size_t count);

/// The hashes of the tree's subtrees, from at most 255 rows each. kStoreCorrupt when one of these is missing. Borrows
/// the database.
[[nodiscard]] audit::SubtreeHash subtree_hashes(Database& database);

}  // namespace chancery::store
