#include "sdk/wire/runtime_messages.hpp"

#include "sdk/base/base64.hpp"
#include "sdk/wire/approval_messages.hpp"
#include "sdk/wire/authorize_fields.hpp"
#include "sdk/wire/fields.hpp"

namespace chancery::wire {
namespace {

using json::Document;
using json::Node;
using json::Value;

constexpr const char* kAskMembers =
    "a permit is asked for with what an authorization has, and `tool`, `credential`, `arguments_sha256`, `release` "
    "and `approval`";
constexpr const char* kResultMembers =
    "a result has `status`, `result_sha256`, `upstream_sha256`, `redactions`, `exposed` and `refused_credential` only";

Node credential_node(const api::ReleasedCredential& credential) {
  Node node = Node::object({{"name", credential.name},
                            {"type", credential.type},
                            {"version", credential.version},
                            {"value", base64_encode(credential.value.view())}});
  set_unless_empty(node, "username", credential.username);
  set_optional(node, "expires_at", credential.expires_at);
  if (credential.is_issued) node.set("issued", true);
  return node;
}

Result<api::ReleasedCredential> credential_from(const Value& root) {
  api::ReleasedCredential out;
  CHANCERY_ASSIGN(out.name, need_text(root, "name", "a credential has `name`"));
  CHANCERY_ASSIGN(out.type, need_text(root, "type", "a credential has `type`"));
  CHANCERY_ASSIGN(const auto version, integer(root, "version", kAnyCount, "`version` is a number from 1"));
  out.version = version.value_or(0);
  const Value* const value = root.find("value");
  if (value == nullptr || !value->string()) return malformed("a credential has `value`, in base64");
  CHANCERY_ASSIGN(out.value, base64_decode_secret(*value->string()));
  CHANCERY_ASSIGN(out.username, text_or_empty(root, "username", "`username` is the name of a role"));
  CHANCERY_ASSIGN(out.expires_at, integer(root, "expires_at", kAnyTime, "`expires_at` is a time"));
  CHANCERY_ASSIGN(out.is_issued, flag(root, "issued", "`issued` is true or false"));
  return out;
}

using Counts = std::map<std::string, std::int64_t>;

Node counts_node(const Counts& counts) {
  Node node = Node::object();
  for (const auto& [kind, count] : counts) node.set(kind, count);
  return node;
}

Result<Counts> counts_from(const Value& root, std::string_view name, const char* what) {
  Counts out;
  const Value* const counts = root.find(name);
  if (counts == nullptr) return out;
  if (!counts->is(Value::Kind::kObject)) return malformed(what);
  for (const json::Member& member : counts->members()) {
    const auto count = member.value.integer();
    if (!count || *count < 0) return malformed(what);
    out.emplace(member.name, *count);
  }
  return out;
}

}  // namespace

std::string write(const api::AskPermit& message) {
  Node node = authorize_node(message.action);
  node.set("tool", message.tool);
  set_unless_empty(node, "credential", message.credential);
  node.set("arguments_sha256", message.arguments_sha256);
  if (message.release) node.set("release", true);
  if (message.approval) node.set("approval", approval_terms_node(*message.approval));
  return json::to_jcs(node);
}

Result<api::AskPermit> read_ask_permit(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json, kActionLimits));
  const Value& root = document.root();
  CHANCERY_TRY(allow_authorize_members(
      root, {"tool", "credential", "arguments_sha256", "release", "approval"}, kAskMembers));
  api::AskPermit out;
  CHANCERY_ASSIGN(out.action, authorize_from(root));
  CHANCERY_ASSIGN(out.tool, need_text(root, "tool", "`tool` must be the name of a tool"));
  CHANCERY_ASSIGN(out.credential,
                  text_or_empty(root, "credential", "`credential` must be the name of a credential"));
  CHANCERY_ASSIGN(out.arguments_sha256,
                  need_text(root, "arguments_sha256",
                            "`arguments_sha256` must be the SHA-256 of the arguments in hexadecimal"));
  CHANCERY_ASSIGN(out.release, flag(root, "release", "`release` must be true or false"));
  if (const Value* const approval = root.find("approval")) {
    CHANCERY_ASSIGN(out.approval, approval_terms_from(*approval));
  }
  return out;
}

std::string write(const api::Permit& message) {
  Node node = decision_node(message.decision);
  if (!message.decision.permitted) return json::to_jcs(node);
  node.set("permit", Node::object({{"id", message.id}, {"expires_at", message.expires_at}}));
  if (message.credential) node.set("credential", credential_node(*message.credential));
  return json::to_jcs(node);
}

Result<api::Permit> read_permit(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  api::Permit out;
  CHANCERY_ASSIGN(out.decision, decision_from(root));
  if (!out.decision.permitted) return out;
  const Value* const permit = root.find("permit");
  if (permit == nullptr) return malformed("what is permitted has `permit`");
  CHANCERY_ASSIGN(out.id, need_text(*permit, "id", "a permit has `id`"));
  CHANCERY_ASSIGN(const auto expires_at, integer(*permit, "expires_at", kAnyTime, "`expires_at` is a time"));
  out.expires_at = expires_at.value_or(0);
  if (const Value* const credential = root.find("credential")) {
    CHANCERY_ASSIGN(out.credential, credential_from(*credential));
  }
  return out;
}

std::string write(const api::ReleasedCredential& message) { return json::to_jcs(credential_node(message)); }

Result<api::ReleasedCredential> read_released_credential(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  return credential_from(document.root());
}

std::string write(const api::CallResult& message) {
  Node node = Node::object({{"status", message.status},
                            {"result_sha256", message.result_sha256},
                            {"redactions", counts_node(message.redactions)}});
  set_unless_empty(node, "upstream_sha256", message.upstream_sha256);
  if (message.exposed) node.set("exposed", true);
  if (message.refused_credential) node.set("refused_credential", true);
  return json::to_jcs(node);
}

Result<api::CallResult> read_call_result(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  CHANCERY_TRY(allow_only(
      root, {"status", "result_sha256", "upstream_sha256", "redactions", "exposed", "refused_credential"},
      kResultMembers));
  api::CallResult out;
  CHANCERY_ASSIGN(out.status, need_text(root, "status", "`status` must be done, error, failed or refused"));
  CHANCERY_ASSIGN(out.result_sha256,
                  need_text(root, "result_sha256", "`result_sha256` must be a SHA-256 in hexadecimal"));
  CHANCERY_ASSIGN(out.upstream_sha256, text_or_empty(root, "upstream_sha256",
                                                     "`upstream_sha256` must be a SHA-256 in hexadecimal"));
  CHANCERY_ASSIGN(out.redactions,
                  counts_from(root, "redactions", "`redactions` must be an object of counts"));
  CHANCERY_ASSIGN(out.exposed, flag(root, "exposed", "`exposed` must be true or false"));
  CHANCERY_ASSIGN(out.refused_credential,
                  flag(root, "refused_credential", "`refused_credential` must be true or false"));
  return out;
}

std::string write(const api::ToolRefusal& message) {
  Node node = Node::object({{"tool", message.tool}, {"reason", message.reason}});
  set_unless_empty(node, "token", message.token);
  if (!message.hits.empty()) node.set("hits", counts_node(message.hits));
  return json::to_jcs(node);
}

Result<api::ToolRefusal> read_tool_refusal(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  CHANCERY_TRY(allow_only(root, {"tool", "reason", "token", "hits"},
                          "a refusal has `tool`, `reason`, `token` and `hits` only"));
  api::ToolRefusal out;
  CHANCERY_ASSIGN(out.tool, need_text(root, "tool", "`tool` must be the name of a tool"));
  CHANCERY_ASSIGN(out.reason, need_text(root, "reason", "`reason` must say why the call was refused"));
  CHANCERY_ASSIGN(out.token, text_or_empty(root, "token", "`token` must be a token's id"));
  CHANCERY_ASSIGN(out.hits, counts_from(root, "hits", "`hits` must be an object of counts"));
  return out;
}

std::string write(const api::RecordedRefusal& message) {
  return json::to_jcs(Node::object({{"recorded", message.is_recorded}}));
}

Result<api::RecordedRefusal> read_recorded_refusal(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::RecordedRefusal out;
  CHANCERY_ASSIGN(out.is_recorded, flag(document.root(), "recorded", "`recorded` is true or false"));
  return out;
}

std::string write(const api::Receipt& message) {
  return json::to_jcs(Node::object({{"receipt", Node::canonical(message.json)}}));
}

Result<api::Receipt> read_receipt(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value* const receipt = document.root().find("receipt");
  if (receipt == nullptr || !receipt->is(Value::Kind::kObject)) return malformed("an answer has `receipt`");
  return api::Receipt{json::to_jcs(*receipt)};
}

std::string write(const api::SignReceipts& message) {
  return json::to_jcs(Node::object({{"permits", text_array(message.permits)}}));
}

Result<api::SignReceipts> read_sign_receipts(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  CHANCERY_TRY(allow_only(document.root(), {"permits"}, "receipts are signed by `permits` only"));
  api::SignReceipts out;
  CHANCERY_ASSIGN(out.permits,
                  string_array(document.root(), "permits", "`permits` must be an array of 1 to 64 ids"));
  return out;
}

std::string write(const api::SignedReceipts& message) {
  return json::to_jcs(Node::object({{"signed", message.jws}}));
}

Result<api::SignedReceipts> read_signed_receipts(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::SignedReceipts out;
  CHANCERY_ASSIGN(out.jws, need_text(document.root(), "signed", "an answer has `signed`, a compact JWS"));
  return out;
}

}  // namespace chancery::wire
