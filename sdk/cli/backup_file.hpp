#pragma once

#include <filesystem>
#include <string>

#include <chancery/api_backup.hpp>

#include "sdk/base/descriptor.hpp"
#include "sdk/cli/failure.hpp"

namespace chancery::cli {

// What `chancery backup` writes: a line that says what it is, the manifest as a line of JCS, and the database.

/// A file of that form whose head was read; what follows is the database.
struct BackupFile {
  std::string path;
  api::Backup manifest;
  Descriptor rest;
};

/// \return kFileUnreadable; kMalformed for a file of another kind; kStoreUnavailable for a database of a newer version
[[nodiscard]] Checked<BackupFile> open_backup(const std::string& path);

/// Reads the database to its end and writes it to `to`; -1: nowhere. What was written counts when this succeeds, and not
/// before: then it is what the manifest says, and on the disk.
/// \return kStoreCorrupt when it is not, kFileUnreadable, kFileUnwritable
[[nodiscard]] Checked<void> copy_database(const BackupFile& from, int to);

/// Writes such a file, for its owner alone; one that is there stays as it is.
/// \param database  what the manifest describes, from its beginning
/// \return also kConflict
[[nodiscard]] Checked<void> write_backup(const std::string& path, const api::Backup& manifest,
                                         Descriptor database);

}  // namespace chancery::cli
