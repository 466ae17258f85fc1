#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "sdk/audit/merkle.hpp"
#include "sdk/audit/note.hpp"

namespace chancery::audit {

/// The head of a log's tree, as a note says it (C2SP tlog-checkpoint).
struct Checkpoint {
  std::string origin;  ///< which log: not empty, one line
  TreeHead tree;
  std::vector<std::string> extensions{};  ///< further lines
  bool operator==(const Checkpoint&) const = default;
};

/// The line by which our checkpoints say to which value of their device's counter they belong: `counter VALUE`.
[[nodiscard]] std::string counter_line(std::uint64_t value);
/// \return nothing when it has no such line, or more than one
[[nodiscard]] std::optional<std::uint64_t> counter_of(const Checkpoint& checkpoint);

/// What is signed.
[[nodiscard]] std::string checkpoint_text(const Checkpoint& checkpoint);

/// Reads a note's text, in its only form: no leading zeros, exact base64. \return kMalformed
[[nodiscard]] Result<Checkpoint> parse_checkpoint(std::string_view text);

/// Reads a checkpoint that one of these keys has signed. \return as open_note() and parse_checkpoint()
[[nodiscard]] Result<Checkpoint> open_checkpoint(std::string_view note, std::span<const NoteKey> keys);

}  // namespace chancery::audit
