// The messages about keys and what happens to them.

#include "sdk/wire/fields.hpp"
#include "sdk/wire/key_fields.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::wire {
namespace {

using json::Document;
using json::Node;
using json::Value;

Node key_node(const api::Key& key) {
  Node node = Node::object({{"jkt", key.jkt},
                            {"owner", key.owner},
                            {"backend", key.backend},
                            {"algorithm", key.algorithm},
                            {"state", key.state},
                            {"created_at", key.created_at}});
  set_unless_empty(node, "reason", key.reason);
  set_optional(node, "overlap_until", key.overlap_until);
  set_optional(node, "ended_at", key.ended_at);
  set_optional(node, "destroyed_at", key.destroyed_at);
  return node;
}

Result<api::Key> key_from(const Value& object) {
  api::Key out;
  CHANCERY_ASSIGN(out.jkt, need_text(object, "jkt", "a key has `jkt`"));
  CHANCERY_ASSIGN(out.owner, need_text(object, "owner", "a key has `owner`"));
  CHANCERY_ASSIGN(out.backend, need_text(object, "backend", "a key has `backend`"));
  CHANCERY_ASSIGN(out.algorithm, need_text(object, "algorithm", "a key has `algorithm`"));
  CHANCERY_ASSIGN(out.state, need_text(object, "state", "a key has `state`"));
  CHANCERY_ASSIGN(out.reason, text_or_empty(object, "reason", "`reason` is a string"));
  CHANCERY_ASSIGN(const auto created, integer(object, "created_at", kAnyTime, "`created_at` is a time"));
  out.created_at = created.value_or(0);
  CHANCERY_ASSIGN(out.overlap_until, integer(object, "overlap_until", kAnyTime, "`overlap_until` is a time"));
  CHANCERY_ASSIGN(out.ended_at, integer(object, "ended_at", kAnyTime, "`ended_at` is a time"));
  CHANCERY_ASSIGN(out.destroyed_at, integer(object, "destroyed_at", kAnyTime, "`destroyed_at` is a time"));
  return out;
}

Result<api::Key> answered_key(const Value& answer, std::string_view name, const char* what) {
  const Value* key = answer.find(name);
  if (key == nullptr) return malformed(what);
  return key_from(*key);
}

}  // namespace

Node ended_node(const api::Ended& ended) {
  Node node = Node::object({{"held", static_cast<std::int64_t>(ended.held)},
                            {"descendants", static_cast<std::int64_t>(ended.descendants)},
                            {"agents", text_array(ended.agents)}});
  set_optional(node, "until", ended.until);
  return node;
}

Result<api::Ended> answered_ended(const Value& answer) {
  const Value* ended = answer.find("ended");
  if (ended == nullptr) return malformed("the answer has `ended`");
  CHANCERY_ASSIGN(const auto held, integer(*ended, "held", kAnyCount, "`held` is a count"));
  CHANCERY_ASSIGN(const auto descendants,
                  integer(*ended, "descendants", kAnyCount, "`descendants` is a count"));
  api::Ended out;
  out.held = static_cast<std::uint64_t>(held.value_or(0));
  out.descendants = static_cast<std::uint64_t>(descendants.value_or(0));
  CHANCERY_ASSIGN(out.until, integer(*ended, "until", kAnyTime, "`until` is a time"));
  CHANCERY_ASSIGN(out.agents, string_array(*ended, "agents", "`agents` are an array of strings"));
  return out;
}

// --- requests

std::string write(const api::RotateKey& message) {
  Node node = Node::object({});
  if (message.overlap) node.set("overlap_s", message.overlap->count());
  set_unless_empty(node, "backend", message.backend);
  set_unless_empty(node, "algorithm", message.algorithm);
  return json::to_jcs(node);
}

Result<api::RotateKey> read_rotate_key(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  CHANCERY_TRY(allow_only(root, {"overlap_s", "backend", "algorithm"},
                          "a rotation has `overlap_s`, `backend` and `algorithm` only"));
  api::RotateKey out;
  CHANCERY_ASSIGN(const auto overlap,
                  integer(root, "overlap_s", kAnyTime, "`overlap_s` must be a whole number of seconds"));
  if (overlap) out.overlap = std::chrono::seconds(*overlap);
  CHANCERY_ASSIGN(out.backend, text_or_empty(root, "backend", "`backend` must be a backend's name"));
  CHANCERY_ASSIGN(out.algorithm, text_or_empty(root, "algorithm", "`algorithm` must be ES256 or Ed25519"));
  return out;
}

std::string write(const api::ReenrollAgent& message) {
  Node node = Node::object({});
  set_unless_empty(node, "backend", message.backend);
  set_unless_empty(node, "algorithm", message.algorithm);
  if (message.revoke) node.set("revoke", true);
  return json::to_jcs(node);
}

Result<api::ReenrollAgent> read_reenroll_agent(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  CHANCERY_TRY(allow_only(root, {"backend", "algorithm", "revoke"},
                          "an agent is enrolled again with `backend`, `algorithm` and `revoke` only"));
  api::ReenrollAgent out;
  CHANCERY_ASSIGN(out.backend, text_or_empty(root, "backend", "`backend` must be a backend's name"));
  CHANCERY_ASSIGN(out.algorithm, text_or_empty(root, "algorithm", "`algorithm` must be ES256 or Ed25519"));
  CHANCERY_ASSIGN(out.revoke, flag(root, "revoke", "`revoke` must be true or false"));
  return out;
}

std::string write(const api::RevokeKey& message) {
  Node node = Node::object({});
  set_unless_empty(node, "reason", message.reason);
  return json::to_jcs(node);
}

Result<api::RevokeKey> read_revoke_key(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  CHANCERY_TRY(allow_only(document.root(), {"reason"}, "a revocation has `reason` only"));
  api::RevokeKey out;
  CHANCERY_ASSIGN(out.reason, text_or_empty(document.root(), "reason", "`reason` must be a string"));
  return out;
}

// --- answers

std::string write(const api::KeyList& message) {
  Node keys = Node::array();
  for (const api::Key& key : message.keys) keys.push_back(key_node(key));
  return json::to_jcs(Node::object({{"keys", std::move(keys)}}));
}

Result<api::KeyList> read_key_list(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value* keys = document.root().find("keys");
  if (keys == nullptr || !keys->is(Value::Kind::kArray)) return malformed("the answer has `keys`: an array");
  api::KeyList out;
  for (const Value& item : keys->items()) {
    CHANCERY_ASSIGN(api::Key key, key_from(item));
    out.keys.push_back(std::move(key));
  }
  return out;
}

std::string write(const api::Rotation& message) {
  Node node = Node::object({{"key", key_node(message.key)}});
  if (message.former) node.set("former", key_node(*message.former));
  return json::to_jcs(node);
}

Result<api::Rotation> read_rotation(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::Rotation out;
  CHANCERY_ASSIGN(out.key, answered_key(document.root(), "key", "a rotation has `key`"));
  if (document.root().find("former") == nullptr) return out;
  CHANCERY_ASSIGN(out.former, answered_key(document.root(), "former", "a rotation has `former`"));
  return out;
}

std::string write(const api::Revocation& message) {
  return json::to_jcs(Node::object({{"key", key_node(message.key)}, {"ended", ended_node(message.ended)}}));
}

Result<api::Revocation> read_revocation(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::Revocation out;
  CHANCERY_ASSIGN(out.key, answered_key(document.root(), "key", "a revocation has `key`"));
  CHANCERY_ASSIGN(out.ended, answered_ended(document.root()));
  return out;
}

std::string write(const api::Adoption& message) {
  return json::to_jcs(Node::object({{"backend", message.backend}, {"device", message.device}}));
}

Result<api::Adoption> read_adoption(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::Adoption out;
  CHANCERY_ASSIGN(out.backend, need_text(document.root(), "backend", "an adoption has `backend`"));
  CHANCERY_ASSIGN(out.device, need_text(document.root(), "device", "an adoption has `device`"));
  return out;
}

}  // namespace chancery::wire
