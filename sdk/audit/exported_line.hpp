#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

namespace chancery::audit {

// A log as it is exported: JSON lines (docs/protocol/audit.md). A header comes first, then the entries in their order,
// each checkpoint behind the last entry that it comprises. An entry's own octets stand in its line as they were hashed.

struct ExportHeader {
  std::string origin;
};

struct ExportedEntry {
  std::string_view entry;      ///< JCS; borrowed from the line
  std::uint64_t sequence = 0;  ///< from 1
  Sha256Digest leaf{};         ///< what the log says that the entry's hash is
};

struct ExportedCheckpoint {
  std::string note;
};

using ExportedLine = std::variant<ExportHeader, ExportedEntry, ExportedCheckpoint>;

// Lines come with their line feed.
[[nodiscard]] std::string exported_header(std::string_view origin);
[[nodiscard]] std::string exported_entry(const ExportedEntry& entry);
[[nodiscard]] std::string exported_checkpoint(std::string_view note);

/// Reads a line without its line feed. The entry itself is not looked into: whether it is what was logged its hash tells.
/// \return kMalformed for every form but the one that is written
[[nodiscard]] Result<ExportedLine> parse_exported_line(std::string_view line);

}  // namespace chancery::audit
