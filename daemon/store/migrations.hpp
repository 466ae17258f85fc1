#pragma once

#include <cstdint>
#include <span>

#include <chancery/result.hpp>

#include "daemon/store/sqlite.hpp"

namespace chancery::store {

/// The steps that lead from an empty file to the present schema: step i leads to version i + 1. A step that
/// was released is never edited; a change is a new step.
[[nodiscard]] std::span<const char* const> migrations() noexcept;

/// Reads which schema a database has and changes nothing.
/// \return the version, 0 for an empty file; kStoreCorrupt for a database of another program,
///         kStoreUnavailable for one that a newer version wrote (`native` is its version)
Result<std::size_t> schema_version(Database& database);

/// Brings a database from its version up to `target`, each step in a transaction of its own with the version
/// that it leads to.
Status migrate(Database& database, std::size_t target = migrations().size());

/// Writes the version of the present schema where it stands already: a page of the file is written, and nothing changed.
/// Within a transaction.
Status rewrite_version(Database& database);

}  // namespace chancery::store
