#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>

#include <chancery/result.hpp>

#include "daemon/store/store.hpp"

namespace chancery::store {

/// A copy of the database as it was at one instant.
struct BackupCopy {
  std::string name;
  std::filesystem::path path;
  sys_seconds made_at{};
  std::uint64_t octets = 0;
  std::string sha256;  ///< in hexadecimal digits
  std::size_t schema = 0;
  std::string log;            ///< the audit log's name; empty before it has one
  std::uint64_t entries = 0;  ///< of the audit log
  std::string checkpoint;     ///< the newest of the log; empty before the first
};

/// Makes copies of the database of a state folder, for its owner alone, in the folder `backups` below it, and keeps the
/// newest two. Writers go on meanwhile: a copy has what was committed when it was begun. Thread-safe.
class BackupShelf {
 public:
  /// \param database  the file; it exists
  explicit BackupShelf(std::filesystem::path database);

  /// Copies, checks the copy as a whole, and has it on the disk before it returns.
  /// \return kConflict while another is made; kStoreUnavailable (disk), kStoreCorrupt for a database that is damaged
  [[nodiscard]] Result<BackupCopy> make(sys_seconds now);

  [[nodiscard]] Status remove(const BackupCopy& copy);

 private:
  const std::filesystem::path database_;
  const std::filesystem::path folder_;
  std::mutex making_;
};

}  // namespace chancery::store
