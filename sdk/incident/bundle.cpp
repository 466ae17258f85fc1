#include "sdk/incident/bundle.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "sdk/base/base64.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/incident/records.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/wire/fields.hpp"

namespace chancery::incident {
namespace {

using json::Node;
using json::Value;
using wire::malformed;

constexpr const char* kType = "chancery-incident";
constexpr std::int64_t kVersion = 1;
constexpr std::size_t kLongestPath = 64;
// An entry of the log is some forty values, and its path as many numbers as the tree has levels.
constexpr json::Limits kLimits{.max_depth = 64, .max_values = 1u << 22};

constexpr const char* kNoBundle =
    "not a bundle of an incident: `chancery incident open` writes them, {\"typ\": \"chancery-incident\", \"v\": 1, …}";
constexpr const char* kProofHas =
    "`proof` has `checkpoint`, `keys`, `hashes`, `opening` and a path for each entry in `paths`";
constexpr const char* kPathIs = "a path is a list of places in `hashes`";

/// Paths to one root have most of their upper hashes in common: each stands in the document once.
class HashTable {
 public:
  Node path(const std::vector<Sha256Digest>& hashes) {
    Node out = Node::array();
    for (const Sha256Digest& hash : hashes) out.push_back(place_of(hash));
    return out;
  }
  Node table() const {
    Node out = Node::array();
    for (const Sha256Digest& hash : hashes_) out.push_back(base64_encode(hash));
    return out;
  }

 private:
  std::size_t place_of(const Sha256Digest& hash) {
    const auto [found, is_new] = places_.emplace(hash, hashes_.size());
    if (is_new) hashes_.push_back(hash);
    return found->second;
  }

  std::map<Sha256Digest, std::size_t> places_;
  std::vector<Sha256Digest> hashes_;
};

Node proof_node(const Proof& proof) {
  HashTable table;
  Node paths = Node::array();
  for (const auto& path : proof.paths) paths.push_back(table.path(path));
  Node opening = entry_node(proof.opening);
  opening.set("path", table.path(proof.opening_path));
  Node out = Node::object({{"checkpoint", proof.checkpoint}, {"keys", wire::text_array(proof.keys)}});
  out.set("opening", std::move(opening));
  out.set("paths", std::move(paths));
  out.set("hashes", table.table());
  return out;
}

Result<Sha256Digest> hash_from(const Value& value) {
  constexpr const char* kWhat = "`hashes` are 32 octets each, in base64 with padding";
  const auto octets = base64_decode(value.string().value_or(""));
  Sha256Digest out{};
  if (!octets || octets->size() != out.size()) return malformed(kWhat);
  std::ranges::copy(*octets, out.begin());
  return out;
}

Result<std::vector<Sha256Digest>> path_from(const Value& value, const std::vector<Sha256Digest>& hashes) {
  if (!value.is(Value::Kind::kArray) || value.items().size() > kLongestPath) return malformed(kPathIs);
  std::vector<Sha256Digest> out;
  for (const Value& place : value.items()) {
    const auto number = place.integer();
    if (!number || *number < 0 || static_cast<std::uint64_t>(*number) >= hashes.size())
      return malformed(kPathIs);
    out.push_back(hashes[static_cast<std::size_t>(*number)]);
  }
  return out;
}

Result<Proof> proof_from(const Value& object) {
  CHANCERY_TRY(wire::allow_only(object, {"checkpoint", "keys", "hashes", "opening", "paths"}, kProofHas));
  Proof out;
  CHANCERY_ASSIGN(out.checkpoint, wire::need_text(object, "checkpoint", kProofHas));
  CHANCERY_ASSIGN(out.keys, wire::string_array(object, "keys", kProofHas));
  CHANCERY_ASSIGN(const std::vector<Sha256Digest> hashes,
                  wire::items_from<Sha256Digest>(object, "hashes", kProofHas, hash_from));
  const auto read_path = [&](const Value& value) { return path_from(value, hashes); };
  CHANCERY_ASSIGN(out.paths,
                  wire::items_from<std::vector<Sha256Digest>>(object, "paths", kProofHas, read_path));
  const Value* const opening = object.find("opening");
  if (opening == nullptr) return malformed(kProofHas);
  CHANCERY_TRY(wire::allow_only(*opening, {"entry", "number", "path"}, kProofHas));
  CHANCERY_ASSIGN(out.opening, entry_from(*opening));
  const Value* const path = opening->find("path");
  if (path == nullptr) return malformed(kProofHas);
  CHANCERY_ASSIGN(out.opening_path, read_path(*path));
  return out;
}

}  // namespace

std::string digest_of(std::string_view evidence) { return hex_encode(sha256(as_bytes(evidence))); }

std::string write_bundle(std::string evidence, const Proof& proof) {
  Node out = Node::object({{"typ", kType}, {"v", kVersion}});
  out.set("evidence", Node::canonical(std::move(evidence)));
  out.set("proof", proof_node(proof));
  return json::to_jcs(out);
}

Result<Bundle> read_bundle(std::string_view text) {
  if (text.size() > kMaxBundle)
    return Error{ErrorCode::kTooLarge, "a bundle of an incident has at most 64 MiB: is this one?"};
  // A file ends with a line feed.
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(text, kLimits));
  const Value& root = document.root();
  const Value* const type = root.find("typ");
  const Value* const version = root.find("v");
  if (type == nullptr || version == nullptr || type->string() != kType || version->integer() != kVersion)
    return malformed(kNoBundle);
  if (!document.canonical())
    return Error{
        ErrorCode::kNonCanonical,
        "the bundle is not in the form in which it was written (JCS): its hash is over these octets"};
  CHANCERY_TRY(wire::allow_only(root, {"typ", "v", "evidence", "proof"}, kNoBundle));
  const Value* const evidence = root.find("evidence");
  const Value* const proof = root.find("proof");
  if (evidence == nullptr || proof == nullptr) return malformed(kNoBundle);
  Bundle out;
  CHANCERY_ASSIGN(out.evidence, evidence_from(*evidence));
  out.digest = digest_of(evidence->source());
  CHANCERY_ASSIGN(out.proof, proof_from(*proof));
  if (out.proof.paths.size() != out.evidence.entries.size()) return malformed(kProofHas);
  return out;
}

}  // namespace chancery::incident
