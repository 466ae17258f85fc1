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

Node approval_node(const api::Approval& approval) {
  Node node = Node::object({{"id", approval.id},
                            {"state", approval.state},
                            {"tool", approval.tool},
                            {"principal", approval.principal},
                            {"key", approval.key},
                            {"sha256", approval.sha256},
                            {"asked_at", approval.asked_at},
                            {"expires_at", approval.expires_at}});
  set_optional(node, "ended_at", approval.ended_at);
  if (!approval.document.empty()) node.set("document", Node::canonical(approval.document));
  return node;
}

Result<api::Approval> approval_from(const Value& object) {
  constexpr const char* kWhat =
      "an approval has `id`, `state`, `tool`, `principal`, `key`, `sha256`, `asked_at` and `expires_at`";
  api::Approval out;
  CHANCERY_ASSIGN(out.id, need_text(object, "id", kWhat));
  CHANCERY_ASSIGN(out.state, need_text(object, "state", kWhat));
  CHANCERY_ASSIGN(out.tool, need_text(object, "tool", kWhat));
  CHANCERY_ASSIGN(out.principal, need_text(object, "principal", kWhat));
  CHANCERY_ASSIGN(out.key, need_text(object, "key", kWhat));
  CHANCERY_ASSIGN(out.sha256, need_text(object, "sha256", kWhat));
  CHANCERY_ASSIGN(out.asked_at, need_number(object, "asked_at", kAnyTime, kWhat));
  CHANCERY_ASSIGN(out.expires_at, need_number(object, "expires_at", kAnyTime, kWhat));
  CHANCERY_ASSIGN(out.ended_at, integer(object, "ended_at", kAnyTime, kWhat));
  if (object.find("document") != nullptr) {
    CHANCERY_ASSIGN(out.document, document_from(object, kWhat));
  }
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
