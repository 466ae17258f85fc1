#include "sdk/audit/checkpoint.hpp"

#include <algorithm>
#include <charconv>

#include "sdk/base/base64.hpp"

namespace chancery::audit {
namespace {

constexpr Error kMalformedCheckpoint{
    ErrorCode::kMalformed,
    "not a checkpoint: an origin, a size and a root hash, each on a line of its own (C2SP tlog-checkpoint)"};

// Takes the next line, which must not be empty, off the text.
Result<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || end == 0) return kMalformedCheckpoint;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t size = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), size);
  const bool is_exact =
      failure == std::errc() && end == text.data() + text.size() && std::to_string(size) == text;
  if (!is_exact) return kMalformedCheckpoint;
  return size;
}

Result<Sha256Digest> parse_hash(std::string_view text) {
  const auto octets = base64_decode(text);
  if (!octets || octets->size() != Sha256Digest{}.size()) return kMalformedCheckpoint;
  Sha256Digest hash;
  std::ranges::copy(*octets, hash.begin());
  return hash;
}

}  // namespace

std::string checkpoint_text(const Checkpoint& checkpoint) {
  std::string text = checkpoint.origin + "\n" + std::to_string(checkpoint.tree.size) + "\n" +
                     base64_encode(checkpoint.tree.root) + "\n";
  for (const std::string& line : checkpoint.extensions) text += line + "\n";
  return text;
}

Result<Checkpoint> parse_checkpoint(std::string_view text) {
  Checkpoint checkpoint;
  CHANCERY_ASSIGN(checkpoint.origin, take_line(text));
  CHANCERY_ASSIGN(const std::string_view size, take_line(text));
  CHANCERY_ASSIGN(checkpoint.tree.size, parse_size(size));
  CHANCERY_ASSIGN(const std::string_view root, take_line(text));
  CHANCERY_ASSIGN(checkpoint.tree.root, parse_hash(root));
  while (!text.empty()) {
    CHANCERY_ASSIGN(const std::string_view line, take_line(text));
    checkpoint.extensions.emplace_back(line);
  }
  return checkpoint;
}

Result<Checkpoint> open_checkpoint(std::string_view note, std::span<const NoteKey> keys) {
  CHANCERY_ASSIGN(const std::string_view text, open_note(note, keys));
  return parse_checkpoint(text);
}

}  // namespace chancery::audit
