#include "sdk/audit/entry_proof.hpp"

#include "sdk/audit/text_lines.hpp"
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

// What stands behind the name on the next line.
Result<std::string_view> take_value(std::string_view& text, std::string_view name) {
  const auto line = take_line(text);
  if (!line || !line->starts_with(name)) return kMalformedProof;
  return line->substr(name.size());
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
  if (take_line(text) != kFirstLine) return kMalformedProof;
  CHANCERY_ASSIGN(const std::string_view extra, take_value(text, kExtra));
  CHANCERY_ASSIGN(const std::string_view index_text, take_value(text, kIndex));
  const auto entry = base64_decode(extra);
  const auto index = parse_decimal(index_text);
  if (!entry || !index) return kMalformedProof;
  proof.entry = as_text(*entry);
  proof.index = *index;
  for (;;) {
    const auto line = take_line(text);
    if (line && line->empty()) break;
    const auto hash = line ? parse_hash(*line) : std::nullopt;
    if (!hash || proof.path.size() == kLongestPath) return kMalformedProof;
    proof.path.push_back(*hash);
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
