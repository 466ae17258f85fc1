#include "sdk/wire/approver_messages.hpp"

#include "sdk/wire/attestation_fields.hpp"
#include "sdk/wire/fields.hpp"

namespace chancery::wire {
namespace {

using json::Document;
using json::Node;
using json::Value;

/// A member that is an object, in JCS.
Result<std::string> object_from(const Value& object, std::string_view name, const char* what) {
  const Value* const member = object.find(name);
  if (member == nullptr || !member->is(Value::Kind::kObject)) return malformed(what);
  return json::to_jcs(*member);
}

Node key_node(const api::ApproverKey& key) {
  Node node = Node::object({{"jkt", key.jkt},
                            {"kind", key.kind},
                            {"jwk", Node::canonical(key.jwk)},
                            {"state", key.state},
                            {"enrolled_at", key.enrolled_at},
                            {"enrolled_by", key.enrolled_by}});
  set_unless_empty(node, "credential_id", key.credential_id);
  set_optional(node, "ended_at", key.ended_at);
  return node;
}

Result<api::ApproverKey> key_from(const Value& object) {
  constexpr const char* kWhat =
      "an approver's key has `jkt`, `kind`, `jwk`, `state`, `enrolled_at` and `enrolled_by`";
  api::ApproverKey out;
  CHANCERY_ASSIGN(out.jkt, need_text(object, "jkt", kWhat));
  CHANCERY_ASSIGN(out.kind, need_text(object, "kind", kWhat));
  CHANCERY_ASSIGN(out.jwk, object_from(object, "jwk", kWhat));
  CHANCERY_ASSIGN(out.state, need_text(object, "state", kWhat));
  CHANCERY_ASSIGN(out.enrolled_at, need_number(object, "enrolled_at", kAnyTime, kWhat));
  CHANCERY_ASSIGN(out.enrolled_by, need_text(object, "enrolled_by", kWhat));
  CHANCERY_ASSIGN(out.credential_id, text_or_empty(object, "credential_id", kWhat));
  CHANCERY_ASSIGN(out.ended_at, integer(object, "ended_at", kAnyTime, kWhat));
  return out;
}

Node approver_node(const api::Approver& approver) {
  return Node::object({{"principal", approver.principal},
                       {"groups", text_array(approver.groups)},
                       {"keys", array_of(approver.keys, key_node)}});
}

Result<api::Approver> approver_from(const Value& object) {
  constexpr const char* kWhat = "an approver has `principal`, `groups` and `keys`";
  api::Approver out;
  CHANCERY_ASSIGN(out.principal, need_text(object, "principal", kWhat));
  CHANCERY_ASSIGN(out.groups, string_array(object, "groups", kWhat));
  CHANCERY_ASSIGN(out.keys, items_from<api::ApproverKey>(object, "keys", kWhat, key_from));
  return out;
}

Node gate_node(const api::Gate& gate) {
  Node node = Node::object({{"name", gate.name},
                            {"scopes", text_array(gate.scopes)},
                            {"tools", text_array(gate.tools)},
                            {"when", gate.when},
                            {"approvers", text_array(gate.approvers)},
                            {"quorum", gate.quorum},
                            {"separation", gate.separation},
                            {"wait_s", gate.wait_s},
                            {"lifetime_s", gate.lifetime_s},
                            {"enforcement", gate.enforcement}});
  set_unless_empty(node, "parameter", gate.parameter);
  set_unless_empty(node, "above", gate.above);
  set_unless_empty(node, "hours", gate.hours);
  if (!gate.key.empty()) node.set("key", Node::canonical(gate.key));
  set_unless_empty(node, "key_name", gate.key_name);
  set_unless_empty(node, "key_backend", gate.key_backend);
  return node;
}

Result<api::Gate> gate_from(const Value& object) {
  constexpr const char* kWhat =
      "a gate has `name`, `scopes`, `tools`, `when`, `approvers`, `quorum`, `separation`, `wait_s`, `lifetime_s` "
      "and `enforcement`";
  api::Gate out;
  CHANCERY_ASSIGN(out.name, need_text(object, "name", kWhat));
  CHANCERY_ASSIGN(out.scopes, string_array(object, "scopes", kWhat));
  CHANCERY_ASSIGN(out.tools, string_array(object, "tools", kWhat));
  CHANCERY_ASSIGN(out.when, need_text(object, "when", kWhat));
  CHANCERY_ASSIGN(out.approvers, string_array(object, "approvers", kWhat));
  CHANCERY_ASSIGN(out.quorum, need_number(object, "quorum", kAnyCount, kWhat));
  CHANCERY_ASSIGN(out.separation, need_text(object, "separation", kWhat));
  CHANCERY_ASSIGN(out.wait_s, need_number(object, "wait_s", kAnyCount, kWhat));
  CHANCERY_ASSIGN(out.lifetime_s, need_number(object, "lifetime_s", kAnyCount, kWhat));
  CHANCERY_ASSIGN(out.enforcement, need_text(object, "enforcement", kWhat));
  CHANCERY_ASSIGN(out.parameter, text_or_empty(object, "parameter", kWhat));
  CHANCERY_ASSIGN(out.above, text_or_empty(object, "above", kWhat));
  CHANCERY_ASSIGN(out.hours, text_or_empty(object, "hours", kWhat));
  CHANCERY_ASSIGN(out.key_name, text_or_empty(object, "key_name", kWhat));
  CHANCERY_ASSIGN(out.key_backend, text_or_empty(object, "key_backend", kWhat));
  if (object.find("key") != nullptr) {
    CHANCERY_ASSIGN(out.key, object_from(object, "key", kWhat));
  }
  return out;
}

}  // namespace

std::string write(const api::Approver& message) { return json::to_jcs(approver_node(message)); }

Result<api::Approver> read_approver(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  return approver_from(document.root());
}

std::string write(const api::ApproverList& message) {
  return json::to_jcs(Node::object({{"approvers", array_of(message.approvers, approver_node)}}));
}

Result<api::ApproverList> read_approver_list(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::ApproverList out;
  CHANCERY_ASSIGN(out.approvers, items_from<api::Approver>(document.root(), "approvers",
                                                           "a list has `approvers`", approver_from));
  return out;
}

std::string write(const api::EnrollApprover& message) {
  const auto enrolment = Document::parse_borrowed(message.enrolment);
  Node node = Node::object();
  node.set("enrolment", enrolment ? Node::copy(enrolment->root()) : Node(nullptr));
  set_unless_empty(node, "authorization", message.authorization);
  return json::to_jcs(node);
}

Result<api::EnrollApprover> read_enroll_approver(std::string_view json) {
  constexpr const char* kWhat =
      "an enrolment is sent as `enrolment`, the document as an object, and perhaps `authorization`, a JWS";
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  CHANCERY_TRY(allow_only(document.root(), {"enrolment", "authorization"}, kWhat));
  api::EnrollApprover out;
  CHANCERY_ASSIGN(out.enrolment, object_from(document.root(), "enrolment", kWhat));
  CHANCERY_ASSIGN(out.authorization, text_or_empty(document.root(), "authorization", kWhat));
  return out;
}

std::string write(const api::RevokeApproverKey& message) {
  Node node = Node::object();
  set_unless_empty(node, "reason", message.reason);
  set_unless_empty(node, "authorization", message.authorization);
  return json::to_jcs(node);
}

Result<api::RevokeApproverKey> read_revoke_approver_key(std::string_view json) {
  constexpr const char* kWhat =
      "the end of an approver's key takes `reason` and `authorization`, and needs neither";
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  CHANCERY_TRY(allow_only(document.root(), {"reason", "authorization"}, kWhat));
  api::RevokeApproverKey out;
  CHANCERY_ASSIGN(out.reason, text_or_empty(document.root(), "reason", kWhat));
  CHANCERY_ASSIGN(out.authorization, text_or_empty(document.root(), "authorization", kWhat));
  return out;
}

std::string write(const api::GateList& message) {
  return json::to_jcs(Node::object({{"gates", array_of(message.gates, gate_node)}}));
}

Result<api::GateList> read_gate_list(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::GateList out;
  CHANCERY_ASSIGN(out.gates,
                  items_from<api::Gate>(document.root(), "gates", "a list has `gates`", gate_from));
  return out;
}

}  // namespace chancery::wire
