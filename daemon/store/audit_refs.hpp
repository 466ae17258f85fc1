#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <chancery/result.hpp>

#include "daemon/store/sqlite.hpp"

namespace chancery::store {

// By what entries of the audit log are found again. An entry names a handful of things, most of them new ones, each of which has its place
// on another page of the index: to write all of these pages with each commit would be most of what a commit writes. So the
// references stand in a row beside the entry at first, and come into the index some entries at a time.

/// By what an identifier is found again.
[[nodiscard]] Bytes audit_ref(std::string_view identifier);

/// Keeps the references of an entry that is being recorded. When very many wait for the index, some are brought there first.
[[nodiscard]] Status keep_refs(Database& database, std::int64_t sequence,
                               std::span<const std::string> identifiers);

/// Brings those of the oldest entries that wait into the index; to be used within a transaction.
/// \param most  how many entries
/// \return how many it were
[[nodiscard]] Result<std::size_t> index_refs(Database& database, std::size_t most);

// They give `sequence, at, entry`, from the index and from what waits for it. To SQLite a CROSS JOIN says which side comes first: by
// itself it goes through all entries, and looks for each of them among those that wait.
// Parameters: reference, sequence after which, limit.
inline constexpr const char* kWithRef =
    "SELECT a.sequence, a.at, a.entry FROM ("
    "SELECT sequence FROM (SELECT sequence FROM audit_refs WHERE ref = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3) "
    "UNION ALL SELECT sequence FROM audit_recent WHERE sequence > ?2 AND instr(refs, ?1) > 0) r "
    "CROSS JOIN audit a USING (sequence) ORDER BY a.sequence LIMIT ?3";
// Parameters: reference, limit.
inline constexpr const char* kLastWithRef =
    "SELECT a.sequence, a.at, a.entry FROM ("
    "SELECT sequence FROM (SELECT sequence FROM audit_refs WHERE ref = ?1 ORDER BY sequence DESC LIMIT ?2) "
    "UNION ALL SELECT sequence FROM audit_recent WHERE instr(refs, ?1) > 0) r "
    "CROSS JOIN audit a USING (sequence) ORDER BY a.sequence DESC LIMIT ?2";
// Parameters: sequence before which, reference, limit.
inline constexpr const char* kWithRefBefore =
    "SELECT a.sequence, a.at, a.entry FROM ("
    "SELECT sequence FROM (SELECT sequence FROM audit_refs WHERE ref = ?2 AND sequence < ?1 ORDER BY sequence DESC LIMIT ?3) "
    "UNION ALL SELECT sequence FROM audit_recent WHERE sequence < ?1 AND instr(refs, ?2) > 0) r "
    "CROSS JOIN audit a USING (sequence) ORDER BY a.sequence DESC LIMIT ?3";

// The numbers alone, of the newest, in no order. Parameters: reference, up to which sequence, limit of what the index has.
inline constexpr const char* kNumbersWithRef =
    "SELECT sequence FROM (SELECT sequence FROM audit_refs WHERE ref = ?1 AND sequence <= ?2 ORDER BY sequence DESC LIMIT ?3) "
    "UNION SELECT sequence FROM audit_recent WHERE sequence <= ?2 AND instr(refs, ?1) > 0";

}  // namespace chancery::store
