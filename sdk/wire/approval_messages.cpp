#include "sdk/wire/approval_messages.hpp"

#include "sdk/wire/attestation_fields.hpp"
#include "sdk/wire/authorize_fields.hpp"
#include "sdk/wire/fields.hpp"

namespace chancery::wire {
namespace {

using json::Document;
using json::Node;
using json::Value;

Result<std::string> document_from(const Value& object, const char* what) {
  const Value* const document = object.find("document");
  if (document == nullptr || !document->is(Value::Kind::kObject)) return malformed(what);
  return json::to_jcs(*document);
}

Node gate_node(const api::ApprovalGate& gate) {
  return Node::object({{"name", gate.name},
                       {"quorum", gate.quorum},
                       {"approvals", gate.approvals},
                       {"separation", gate.separation},
                       {"enforcement", gate.enforcement}});
}

Result<api::ApprovalGate> gate_from(const Value& object) {
  constexpr const char* kWhat = "a gate has `name`, `quorum`, `approvals`, `separation` and `enforcement`";
  api::ApprovalGate out;
  CHANCERY_ASSIGN(out.name, need_text(object, "name", kWhat));
  CHANCERY_ASSIGN(out.quorum, need_number(object, "quorum", kAnyCount, kWhat));
  CHANCERY_ASSIGN(out.approvals, need_number(object, "approvals", kAnyCount, kWhat));
  CHANCERY_ASSIGN(out.separation, need_text(object, "separation", kWhat));
  CHANCERY_ASSIGN(out.enforcement, need_text(object, "enforcement", kWhat));
  return out;
}

Node vote_node(const api::ApprovalVote& vote) {
  Node node = Node::object({{"approver", vote.approver},
                            {"key", vote.key},
                            {"verdict", vote.verdict},
                            {"at", vote.at},
                            {"enforcement", vote.enforcement},
                            {"decision", vote.decision},
                            {"gates", text_array(vote.gates)}});
  set_unless_empty(node, "reason", vote.reason);
  set_optional(node, "voided_at", vote.voided_at);
  return node;
}

Result<api::ApprovalVote> vote_from(const Value& object) {
  constexpr const char* kWhat =
      "a decision has `approver`, `key`, `verdict`, `at`, `enforcement`, `decision` and `gates`";
  api::ApprovalVote out;
  CHANCERY_ASSIGN(out.approver, need_text(object, "approver", kWhat));
  CHANCERY_ASSIGN(out.key, need_text(object, "key", kWhat));
  CHANCERY_ASSIGN(out.verdict, need_text(object, "verdict", kWhat));
  CHANCERY_ASSIGN(out.at, need_number(object, "at", kAnyTime, kWhat));
  CHANCERY_ASSIGN(out.enforcement, need_text(object, "enforcement", kWhat));
  CHANCERY_ASSIGN(out.decision, need_text(object, "decision", kWhat));
  CHANCERY_ASSIGN(out.gates, string_array(object, "gates", kWhat));
  CHANCERY_ASSIGN(out.reason, text_or_empty(object, "reason", kWhat));
  CHANCERY_ASSIGN(out.voided_at, integer(object, "voided_at", kAnyTime, kWhat));
  return out;
}

Node amounts_node(const std::map<std::string, std::string>& amounts) {
  Node node = Node::object();
  for (const auto& [name, amount] : amounts) node.set(name, amount);
  return node;
}

Result<std::map<std::string, std::string>> amounts_from(const Value& object, const char* what) {
  std::map<std::string, std::string> out;
  if (!object.is(Value::Kind::kObject)) return malformed(what);
  for (const json::Member& member : object.members()) {
    const auto text = member.value.string();
    if (!text) return malformed(what);
    out.emplace(member.name, *text);
  }
  return out;
}

Node previous_node(const api::PreviousRequest& previous) {
  return Node::object({{"id", previous.id},
                       {"state", previous.state},
                       {"decided_at", previous.decided_at},
                       {"sha256", previous.sha256},
                       {"document", Node::canonical(previous.document)}});
}

Result<api::PreviousRequest> previous_from(const Value& object) {
  constexpr const char* kWhat = "`previous` has `id`, `state`, `decided_at`, `sha256` and `document`";
  api::PreviousRequest out;
  CHANCERY_ASSIGN(out.id, need_text(object, "id", kWhat));
  CHANCERY_ASSIGN(out.state, need_text(object, "state", kWhat));
  CHANCERY_ASSIGN(out.decided_at, need_number(object, "decided_at", kAnyTime, kWhat));
  CHANCERY_ASSIGN(out.sha256, need_text(object, "sha256", kWhat));
  CHANCERY_ASSIGN(out.document, document_from(object, kWhat));
  return out;
}

Node approval_node(const api::Approval& approval) {
  Node node = Node::object({{"id", approval.id},
                            {"kind", approval.kind},
                            {"state", approval.state},
                            {"tool", approval.tool},
                            {"principal", approval.principal},
                            {"key", approval.key},
                            {"sha256", approval.sha256},
                            {"enforcement", approval.enforcement},
                            {"gates", array_of(approval.gates, gate_node)},
                            {"asked_at", approval.asked_at},
                            {"expires_at", approval.expires_at}});
  set_optional(node, "approved_at", approval.approved_at);
  set_optional(node, "approved_until", approval.approved_until);
  set_optional(node, "ended_at", approval.ended_at);
  if (!approval.document.empty()) node.set("document", Node::canonical(approval.document));
  if (!approval.decisions.empty()) node.set("decisions", array_of(approval.decisions, vote_node));
  set_unless_empty(node, "agent", approval.agent);
  set_unless_empty(node, "risk", approval.risk);
  if (!approval.amounts.empty()) node.set("amounts", amounts_node(approval.amounts));
  if (approval.previous) node.set("previous", previous_node(*approval.previous));
  return node;
}

// What stands beside the request itself.
Status read_beside(const Value& object, api::Approval& out) {
  constexpr const char* kWhat =
      "an approval's `agent` and `risk` are texts, and `amounts` is an object of texts";
  CHANCERY_ASSIGN(out.agent, text_or_empty(object, "agent", kWhat));
  CHANCERY_ASSIGN(out.risk, text_or_empty(object, "risk", kWhat));
  if (const Value* const amounts = object.find("amounts")) {
    CHANCERY_ASSIGN(out.amounts, amounts_from(*amounts, kWhat));
  }
  if (const Value* const previous = object.find("previous")) {
    CHANCERY_ASSIGN(out.previous, previous_from(*previous));
  }
  return {};
}

Result<api::Approval> approval_from(const Value& object) {
  constexpr const char* kWhat =
      "an approval has `id`, `kind`, `state`, `tool`, `principal`, `key`, `sha256`, `enforcement`, `gates`, "
      "`asked_at` and `expires_at`";
  api::Approval out;
  CHANCERY_ASSIGN(out.id, need_text(object, "id", kWhat));
  CHANCERY_ASSIGN(out.kind, need_text(object, "kind", kWhat));
  CHANCERY_ASSIGN(out.state, need_text(object, "state", kWhat));
  CHANCERY_ASSIGN(out.tool, need_text(object, "tool", kWhat));
  CHANCERY_ASSIGN(out.principal, need_text(object, "principal", kWhat));
  CHANCERY_ASSIGN(out.key, need_text(object, "key", kWhat));
  CHANCERY_ASSIGN(out.sha256, need_text(object, "sha256", kWhat));
  CHANCERY_ASSIGN(out.enforcement, need_text(object, "enforcement", kWhat));
  CHANCERY_ASSIGN(out.gates, items_from<api::ApprovalGate>(object, "gates", kWhat, gate_from));
  CHANCERY_ASSIGN(out.asked_at, need_number(object, "asked_at", kAnyTime, kWhat));
  CHANCERY_ASSIGN(out.expires_at, need_number(object, "expires_at", kAnyTime, kWhat));
  CHANCERY_ASSIGN(out.approved_at, integer(object, "approved_at", kAnyTime, kWhat));
  CHANCERY_ASSIGN(out.approved_until, integer(object, "approved_until", kAnyTime, kWhat));
  CHANCERY_ASSIGN(out.ended_at, integer(object, "ended_at", kAnyTime, kWhat));
  if (object.find("document") != nullptr) {
    CHANCERY_ASSIGN(out.document, document_from(object, kWhat));
  }
  if (object.find("decisions") != nullptr) {
    CHANCERY_ASSIGN(out.decisions, items_from<api::ApprovalVote>(object, "decisions", kWhat, vote_from));
  }
  CHANCERY_TRY(read_beside(object, out));
  return out;
}

}  // namespace

std::string write(const api::Approval& message) { return json::to_jcs(approval_node(message)); }

Result<api::Approval> read_approval(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  return approval_from(document.root());
}

std::string write(const api::ApprovalPage& message) {
  Node node = Node::object({{"approvals", array_of(message.approvals, approval_node)}});
  set_unless_empty(node, "next", message.next);
  return json::to_jcs(node);
}

Result<api::ApprovalPage> read_approval_page(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::ApprovalPage out;
  CHANCERY_ASSIGN(out.approvals, items_from<api::Approval>(document.root(), "approvals",
                                                           "a page has `approvals`", approval_from));
  CHANCERY_ASSIGN(out.next, text_or_empty(document.root(), "next", "`next` is a text"));
  return out;
}

std::string write(const api::DecideApproval& message) {
  Node node = Node::object({{"decision", message.decision}});
  set_unless_empty(node, "policy_signature", message.policy_signature);
  return json::to_jcs(node);
}

Result<api::DecideApproval> read_decide_approval(std::string_view json) {
  constexpr const char* kWhat = "a decision is sent as `decision`, a JWS, and perhaps `policy_signature`";
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  CHANCERY_TRY(allow_only(document.root(), {"decision", "policy_signature"}, kWhat));
  api::DecideApproval out;
  CHANCERY_ASSIGN(out.decision, need_text(document.root(), "decision", kWhat));
  CHANCERY_ASSIGN(out.policy_signature, text_or_empty(document.root(), "policy_signature", kWhat));
  return out;
}

std::string write(const api::DecidedApproval& message) {
  return json::to_jcs(
      Node::object({{"id", message.id}, {"state", message.state}, {"enforcement", message.enforcement}}));
}

Result<api::DecidedApproval> read_decided_approval(std::string_view json) {
  constexpr const char* kWhat = "what came of a decision has `id`, `state` and `enforcement`";
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::DecidedApproval out;
  CHANCERY_ASSIGN(out.id, need_text(document.root(), "id", kWhat));
  CHANCERY_ASSIGN(out.state, need_text(document.root(), "state", kWhat));
  CHANCERY_ASSIGN(out.enforcement, need_text(document.root(), "enforcement", kWhat));
  return out;
}

Node approval_terms_node(const api::ApprovalTerms& terms) {
  const auto arguments = Document::parse(terms.arguments, kActionLimits);
  Node node = Node::object({{"risk", terms.risk}});
  node.set("arguments", arguments ? Node::copy(arguments->root()) : Node(nullptr));
  set_unless_empty(node, "description", terms.description);
  if (!terms.is_declared) node.set("declared", false);
  return node;
}

Result<api::ApprovalTerms> approval_terms_from(const Value& value) {
  constexpr const char* kWhat = "`approval` has `risk`, `arguments` and perhaps `description` and `declared`";
  CHANCERY_TRY(allow_only(value, {"risk", "arguments", "description", "declared"}, kWhat));
  api::ApprovalTerms out;
  CHANCERY_ASSIGN(out.risk, need_text(value, "risk", "`approval.risk` must be low, medium or high"));
  const Value* const arguments = value.find("arguments");
  if (arguments == nullptr || !arguments->is(Value::Kind::kObject))
    return malformed("`approval.arguments` must be an object");
  out.arguments = json::to_jcs(*arguments);
  CHANCERY_ASSIGN(out.description,
                  text_or_empty(value, "description", "`approval.description` must be a text"));
  if (value.find("declared") != nullptr) {
    CHANCERY_ASSIGN(out.is_declared, flag(value, "declared", "`approval.declared` must be true or false"));
  }
  return out;
}

Node pending_approval_node(const api::PendingApproval& pending) {
  Node node = Node::object({{"id", pending.id},
                            {"expires_at", pending.expires_at},
                            {"document", Node::canonical(pending.document)},
                            {"sha256", pending.sha256}});
  set_unless_empty(node, "url", pending.url);
  return node;
}

Result<api::PendingApproval> pending_approval_from(const Value& value) {
  constexpr const char* kWhat = "a call that waits has `id`, `expires_at`, `document` and `sha256`";
  api::PendingApproval out;
  CHANCERY_ASSIGN(out.id, need_text(value, "id", kWhat));
  CHANCERY_ASSIGN(out.expires_at, need_number(value, "expires_at", kAnyTime, kWhat));
  CHANCERY_ASSIGN(out.document, document_from(value, kWhat));
  CHANCERY_ASSIGN(out.sha256, need_text(value, "sha256", kWhat));
  CHANCERY_ASSIGN(out.url, text_or_empty(value, "url", "`url` is the address of a page"));
  return out;
}

}  // namespace chancery::wire
