#include "sdk/audit/checkpoint.hpp"

#include "sdk/audit/text_lines.hpp"
#include "sdk/base/base64.hpp"

namespace chancery::audit {
namespace {

constexpr Error kMalformedCheckpoint{
    ErrorCode::kMalformed,
    "not a checkpoint: an origin, a size and a root hash, each on a line of its own (C2SP tlog-checkpoint)"};

constexpr std::string_view kCounter = "counter ";

// The next line, which must not be empty.
Result<std::string_view> take_part(std::string_view& text) {
  const auto line = take_line(text);
  if (!line || line->empty()) return kMalformedCheckpoint;
  return *line;
}

}  // namespace

std::string checkpoint_text(const Checkpoint& checkpoint) {
  std::string text = checkpoint.origin + "\n" + std::to_string(checkpoint.tree.size) + "\n" +
                     base64_encode(checkpoint.tree.root) + "\n";
  for (const std::string& line : checkpoint.extensions) text += line + "\n";
  return text;
}

std::string counter_line(std::uint64_t value) { return std::string(kCounter) + std::to_string(value); }

std::optional<std::uint64_t> counter_of(const Checkpoint& checkpoint) {
  std::optional<std::uint64_t> value;
  for (const std::string_view line : checkpoint.extensions) {
    if (!line.starts_with(kCounter)) continue;
    if (value) return std::nullopt;
    value = parse_decimal(line.substr(kCounter.size()));
    if (!value) return std::nullopt;
  }
  return value;
}

Result<Checkpoint> parse_checkpoint(std::string_view text) {
  Checkpoint checkpoint;
  CHANCERY_ASSIGN(checkpoint.origin, take_part(text));
  CHANCERY_ASSIGN(const std::string_view size_text, take_part(text));
  CHANCERY_ASSIGN(const std::string_view root_text, take_part(text));
  const auto size = parse_decimal(size_text);
  const auto root = parse_hash(root_text);
  if (!size || !root) return kMalformedCheckpoint;
  checkpoint.tree = {*size, *root};
  while (!text.empty()) {
    CHANCERY_ASSIGN(const std::string_view line, take_part(text));
    checkpoint.extensions.emplace_back(line);
  }
  return checkpoint;
}

Result<Checkpoint> open_checkpoint(std::string_view note, std::span<const NoteKey> keys) {
  CHANCERY_ASSIGN(const std::string_view text, open_note(note, keys));
  return parse_checkpoint(text);
}

}  // namespace chancery::audit
