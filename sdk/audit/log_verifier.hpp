#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "sdk/audit/checkpoint.hpp"
#include "sdk/audit/note.hpp"

namespace chancery::audit {

/// What is wrong with a log, and from where on.
struct LogFault {
  enum class Kind : std::uint8_t {
    kMalformed,   ///< a line that no export has
    kReplaced,    ///< it is another log than the one that the keys belong to
    kEdited,      ///< an entry is not what its line says that was logged
    kMissing,     ///< an entry is not where it belongs: deleted, or moved
    kMisplaced,   ///< an entry stands where another belongs: inserted, or moved
    kAltered,     ///< entries are not those that were signed; which ones only who has them otherwise can tell
    kTruncated,   ///< the log ends before what was signed
    kForked,      ///< one key signed two logs that part here
    kCheckpoint,  ///< a checkpoint that the keys did not sign
  };
  Kind kind = Kind::kMalformed;
  /// The first bad entry is one of these, counted from 1; the same number twice where it is known.
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t line = 0;  ///< of the file, from 1; 0 for what is missed at its end
  bool operator==(const LogFault&) const = default;
};

/// "edited", "missing" …
[[nodiscard]] std::string_view log_fault_name(LogFault::Kind kind) noexcept;

/// What verification found.
struct LogReport {
  std::string origin;
  std::uint64_t entries = 0;           ///< that were read
  std::uint64_t checkpoints = 0;       ///< that were good
  std::optional<Checkpoint> newest{};  ///< of the file's own checkpoints that are good, the last
  std::optional<LogFault> fault{};     ///< nothing when all is well
  [[nodiscard]] bool is_sound() const noexcept { return !fault && newest.has_value(); }
  /// Entries behind the newest checkpoint: nobody has signed these yet.
  [[nodiscard]] std::uint64_t unsigned_entries() const noexcept {
    return newest ? entries - std::min(entries, newest->tree.size) : entries;
  }
};

/// Gives more of the log: fills the buffer as far as there is some. \return how many octets; 0 at the end
using ReadMore = std::function<Result<std::size_t>(std::span<char>)>;

struct LogTerms {
  std::vector<NoteKey> keys;  ///< of the log, former ones too; all of one name
  /// Checkpoints that somebody kept elsewhere: the log must still contain what they comprise. By one of the keys.
  std::vector<Checkpoint> held{};
  unsigned threads = 2;          ///< that hash, beside the caller's; at least 1
  std::size_t block = 4U << 20;  ///< octets to read at once, and to hash in one go; at least 1
};

/// Checks an exported log against the keys that sign its checkpoints.
///
/// Reads it once, in memory that does not grow with it. Every line must be as an export writes it, every entry hash to
/// what its line says, stand at its number, and be part of the tree of every checkpoint that follows and of those held.
/// \return the report; kInvalidArgument without a key; what `read` said
[[nodiscard]] Result<LogReport> verify_log(const ReadMore& read, const LogTerms& terms);

}  // namespace chancery::audit
