#include "sdk/wire/audit_messages.hpp"

#include <algorithm>

#include "sdk/base/base64.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/wire/attestation_fields.hpp"
#include "sdk/wire/fields.hpp"

namespace chancery::wire {
namespace {

using json::Document;
using json::Node;
using json::Value;

constexpr const char* kWhatPath = "a proof has `hashes`: SHA-256 hashes in base64";

// --- parts

Result<std::uint64_t> count_from(const Value& object, std::string_view name, const char* what) {
  CHANCERY_ASSIGN(const std::int64_t number, need_number(object, name, kAnyCount, what));
  return static_cast<std::uint64_t>(number);
}

Result<Sha256Digest> hash_of(std::string_view text, const char* what) {
  const auto octets = base64_decode(text);
  Sha256Digest hash;
  if (!octets || octets->size() != hash.size()) return malformed(what);
  std::ranges::copy(*octets, hash.begin());
  return hash;
}

Result<Sha256Digest> leaf_from(const Value& object) {
  constexpr const char* kWhat = "`leaf_hash` is a SHA-256 hash in base64";
  CHANCERY_ASSIGN(const std::string text, need_text(object, "leaf_hash", kWhat));
  return hash_of(text, kWhat);
}

Node path_node(const std::vector<Sha256Digest>& path) {
  Node array = Node::array();
  for (const Sha256Digest& hash : path) array.push_back(base64_encode(hash));
  return array;
}

Result<std::vector<Sha256Digest>> path_from(const Value& object) {
  CHANCERY_ASSIGN(const std::vector<std::string> texts, string_array(object, "hashes", kWhatPath));
  std::vector<Sha256Digest> path;
  for (const std::string& text : texts) {
    CHANCERY_ASSIGN(path.emplace_back(), hash_of(text, kWhatPath));
  }
  return path;
}

Node entry_node(const api::AuditEntry& entry) {
  return Node::object({{"number", entry.number}, {"entry", Node::canonical(entry.json)}});
}

Result<api::AuditEntry> entry_from(const Value& object) {
  constexpr const char* kWhat = "an entry of the log has `number` and `entry`";
  const Value* entry = object.find("entry");
  if (entry == nullptr || !entry->is(Value::Kind::kObject)) return malformed(kWhat);
  CHANCERY_ASSIGN(const std::uint64_t number, count_from(object, "number", kWhat));
  return api::AuditEntry{number, std::string(entry->source())};
}

Node inclusion_node(const api::AuditInclusion& inclusion) {
  return Node::object({{"number", inclusion.number},
                       {"size", inclusion.size},
                       {"leaf_hash", base64_encode(inclusion.leaf)},
                       {"hashes", path_node(inclusion.path)}});
}

Result<api::AuditInclusion> inclusion_from(const Value& object) {
  constexpr const char* kWhat = "an inclusion proof has `number` and `size`";
  api::AuditInclusion out;
  CHANCERY_ASSIGN(out.number, count_from(object, "number", kWhat));
  CHANCERY_ASSIGN(out.size, count_from(object, "size", kWhat));
  CHANCERY_ASSIGN(out.leaf, leaf_from(object));
  CHANCERY_ASSIGN(out.path, path_from(object));
  return out;
}

Node checkpoint_node(const api::AuditCheckpoint& checkpoint) {
  return Node::object({{"size", checkpoint.size}, {"at", checkpoint.at}, {"note", checkpoint.note}});
}

Result<api::AuditCheckpoint> checkpoint_from(const Value& object) {
  constexpr const char* kWhat = "a checkpoint has `size`, `at` and `note`";
  api::AuditCheckpoint out;
  CHANCERY_ASSIGN(out.size, count_from(object, "size", kWhat));
  CHANCERY_ASSIGN(out.at, need_number(object, "at", kAnyTime, kWhat));
  CHANCERY_ASSIGN(out.note, need_text(object, "note", kWhat));
  return out;
}

Node key_node(const api::AuditKey& key) {
  return Node::object({{"vkey", key.verifier_key},
                       {"jwk", Node::canonical(key.jwk)},
                       {"jkt", key.jkt},
                       {"backend", key.backend},
                       {"state", key.state},
                       {"created_at", key.created_at}});
}

Result<api::AuditKey> key_from(const Value& object) {
  constexpr const char* kWhat =
      "a key of the log has `vkey`, `jwk`, `jkt`, `backend`, `state` and `created_at`";
  const Value* jwk = object.find("jwk");
  if (jwk == nullptr) return malformed(kWhat);
  api::AuditKey out;
  out.jwk = json::to_jcs(*jwk);
  CHANCERY_ASSIGN(out.verifier_key, need_text(object, "vkey", kWhat));
  CHANCERY_ASSIGN(out.jkt, need_text(object, "jkt", kWhat));
  CHANCERY_ASSIGN(out.backend, need_text(object, "backend", kWhat));
  CHANCERY_ASSIGN(out.state, need_text(object, "state", kWhat));
  CHANCERY_ASSIGN(out.created_at, need_number(object, "created_at", kAnyTime, kWhat));
  return out;
}

// Entries that were spelled anew on their way would not have the octets of their leaves.
Result<Document> parse_canonical(std::string_view json) {
  CHANCERY_ASSIGN(Document document, Document::parse_borrowed(json));
  if (document.canonical()) return document;
  return malformed("an answer with entries of the log is JCS: something between has changed it");
}

}  // namespace

// --- answers

std::string write(const api::AuditPage& message) {
  return json::to_jcs(
      Node::object({{"entries", array_of(message.entries, entry_node)}, {"size", message.size}}));
}

Result<api::AuditPage> read_audit_page(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, parse_canonical(json));
  api::AuditPage out;
  CHANCERY_ASSIGN(out.entries, items_from<api::AuditEntry>(document.root(), "entries",
                                                           "a page of the log has `entries`", entry_from));
  CHANCERY_ASSIGN(out.size, count_from(document.root(), "size", "a page of the log has `size`"));
  return out;
}

std::string write(const api::ProvedAuditEntry& message) {
  Node node = entry_node(message.entry);
  node.set("leaf_hash", base64_encode(message.leaf));
  if (message.inclusion) node.set("inclusion", inclusion_node(*message.inclusion));
  if (message.checkpoint) node.set("checkpoint", checkpoint_node(*message.checkpoint));
  if (!message.salt.empty()) node.set("salt", hex_encode(message.salt));
  return json::to_jcs(node);
}

Result<api::ProvedAuditEntry> read_proved_audit_entry(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, parse_canonical(json));
  const Value& root = document.root();
  api::ProvedAuditEntry out;
  CHANCERY_ASSIGN(out.entry, entry_from(root));
  CHANCERY_ASSIGN(out.leaf, leaf_from(root));
  if (const Value* inclusion = root.find("inclusion")) {
    CHANCERY_ASSIGN(out.inclusion, inclusion_from(*inclusion));
  }
  if (const Value* checkpoint = root.find("checkpoint")) {
    CHANCERY_ASSIGN(out.checkpoint, checkpoint_from(*checkpoint));
  }
  CHANCERY_ASSIGN(const std::string salt, text_or_empty(root, "salt", "`salt` is hexadecimal"));
  CHANCERY_ASSIGN(out.salt, hex_decode(salt));
  return out;
}

std::string write(const api::AuditInclusion& message) { return json::to_jcs(inclusion_node(message)); }

Result<api::AuditInclusion> read_audit_inclusion(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  return inclusion_from(document.root());
}

std::string write(const api::AuditConsistency& message) {
  return json::to_jcs(
      Node::object({{"from", message.first}, {"to", message.second}, {"hashes", path_node(message.path)}}));
}

Result<api::AuditConsistency> read_audit_consistency(std::string_view json) {
  constexpr const char* kWhat = "a consistency proof has `from` and `to`";
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::AuditConsistency out;
  CHANCERY_ASSIGN(out.first, count_from(document.root(), "from", kWhat));
  CHANCERY_ASSIGN(out.second, count_from(document.root(), "to", kWhat));
  CHANCERY_ASSIGN(out.path, path_from(document.root()));
  return out;
}

std::string write(const api::AuditCheckpoint& message) { return json::to_jcs(checkpoint_node(message)); }

Result<api::AuditCheckpoint> read_audit_checkpoint(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  return checkpoint_from(document.root());
}

std::string write(const api::AuditCheckpointPage& message) {
  return json::to_jcs(Node::object({{"checkpoints", array_of(message.checkpoints, checkpoint_node)}}));
}

Result<api::AuditCheckpointPage> read_audit_checkpoint_page(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::AuditCheckpointPage out;
  CHANCERY_ASSIGN(out.checkpoints,
                  items_from<api::AuditCheckpoint>(document.root(), "checkpoints", "a page has `checkpoints`",
                                                   checkpoint_from));
  return out;
}

std::string write(const api::AuditKeys& message) {
  return json::to_jcs(Node::object({{"origin", message.origin}, {"keys", array_of(message.keys, key_node)}}));
}

Result<api::AuditKeys> read_audit_keys(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::AuditKeys out;
  CHANCERY_ASSIGN(out.origin, need_text(document.root(), "origin", "the log's keys have `origin`"));
  CHANCERY_ASSIGN(out.keys,
                  items_from<api::AuditKey>(document.root(), "keys", "the log's keys have `keys`", key_from));
  return out;
}

}  // namespace chancery::wire
