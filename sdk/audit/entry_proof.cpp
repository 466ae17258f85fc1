#include "sdk/audit/entry_proof.hpp"

#include <algorithm>
#include <charconv>

#include "sdk/base/base64.hpp"

namespace chancery::audit {
namespace {

constexpr std::string_view kFirstLine = "c2sp.org/tlog-proof@v1";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";
constexpr std::size_t kLongestPath = 64;

constexpr Error kMalformedProof{
    ErrorCode::kMalformed,
    "not a proof of an entry: `chancery audit prove` makes them (C2SP tlog-proof, with the "
    "entry as its extra data)"};

// Takes the next line off the text; nothing when there is no whole one.
Result<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return kMalformedProof;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

Result<std::string_view> take_value(std::string_view& text, std::string_view name) {
  CHANCERY_ASSIGN(std::string_view line, take_line(text));
  if (!line.starts_with(name)) return kMalformedProof;
  line.remove_prefix(name.size());
  return line;
}

Result<std::uint64_t> parse_index(std::string_view text) {
  std::uint64_t index = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (failure != std::errc() || std::to_string(index) != text) return kMalformedProof;
  return index;
}

Result<Sha256Digest> parse_hash(std::string_view line) {
  const auto octets = base64_decode(line);
  Sha256Digest hash;
  if (!octets || octets->size() != hash.size()) return kMalformedProof;
  std::ranges::copy(*octets, hash.begin());
  return hash;
}

}  // namespace

std::string write_entry_proof(const EntryProof& proof) {
  std::string text(kFirstLine);
  text.append("\n").append(kExtra).append(base64_encode(as_bytes(proof.entry)));
  text.append("\n").append(kIndex).append(std::to_string(proof.index)).append("\n");
  for (const Sha256Digest& hash : proof.path) text.append(base64_encode(hash)).append("\n");
  return text.append("\n").append(proof.checkpoint);
}

Result<EntryProof> parse_entry_proof(std::string_view text) {
  EntryProof proof;
  CHANCERY_ASSIGN(const std::string_view first, take_line(text));
  if (first != kFirstLine) return kMalformedProof;
  CHANCERY_ASSIGN(const std::string_view extra, take_value(text, kExtra));
  const auto entry = base64_decode(extra);
  if (!entry) return kMalformedProof;
  proof.entry = as_text(*entry);
  CHANCERY_ASSIGN(const std::string_view index, take_value(text, kIndex));
  CHANCERY_ASSIGN(proof.index, parse_index(index));
  for (;;) {
    CHANCERY_ASSIGN(const std::string_view line, take_line(text));
    if (line.empty()) break;
    if (proof.path.size() == kLongestPath) return kMalformedProof;
    CHANCERY_ASSIGN(const Sha256Digest hash, parse_hash(line));
    proof.path.push_back(hash);
  }
  proof.checkpoint = text;
  return proof;
}

Result<Checkpoint> check_entry_proof(const EntryProof& proof, std::span<const NoteKey> keys) {
  CHANCERY_ASSIGN(Checkpoint checkpoint, open_checkpoint(proof.checkpoint, keys));
  const Sha256Digest leaf = leaf_hash(as_bytes(proof.entry));
  if (!proves_inclusion(leaf, proof.index, checkpoint.tree, proof.path)) {
    return Error{
        ErrorCode::kSignatureInvalid,
        "the proof does not lead from this entry to what the checkpoint signs: one of them was altered"};
  }
  return checkpoint;
}

}  // namespace chancery::audit
