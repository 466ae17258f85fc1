#include "sdk/wire/console_messages.hpp"

#include "sdk/base/base64url.hpp"
#include "sdk/wire/approval_messages.hpp"
#include "sdk/wire/attestation_fields.hpp"
#include "sdk/wire/fields.hpp"

namespace chancery::wire {
namespace {

using json::Document;
using json::Node;
using json::Value;

// As long as a person may take to find the key; the daemon waits longer.
constexpr int kBrowserPatienceMs = 120'000;

constexpr const char* kWhatAssertion =
    "an assertion has `authenticatorData`, `clientDataJSON` and `signature`, each base64url";

// --- what passkeys are asked, as WebAuthn Level 3 section 5.1.8 has it in JSON

Node credential_node(const std::string& id) { return Node::object({{"type", "public-key"}, {"id", id}}); }

Node request_options(const api::PasskeyQuestion& question) {
  return Node::object({{"challenge", base64url_encode(question.challenge)},
                       {"rpId", question.rp_id},
                       {"userVerification", "required"},
                       {"timeout", kBrowserPatienceMs},
                       {"allowCredentials", array_of(question.credentials, credential_node)}});
}

// A credential that can be found without its id: so a person need not say who it is to sign in.
Node creation_options(const api::PasskeyCreation& creation) {
  constexpr int kES256 = -7;  // RFC 9053 section 2.1
  const api::PasskeyQuestion& question = creation.question;
  return Node::object(
      {{"rp", Node::object({{"id", question.rp_id}, {"name", "Chancery"}})},
       {"user",
        Node::object(
            {{"id", creation.user_id}, {"name", creation.user_name}, {"displayName", creation.user_name}})},
       {"challenge", base64url_encode(question.challenge)},
       {"pubKeyCredParams", Node::array({Node::object({{"type", "public-key"}, {"alg", kES256}})})},
       {"timeout", kBrowserPatienceMs},
       {"excludeCredentials", array_of(question.credentials, credential_node)},
       {"authenticatorSelection",
        Node::object(
            {{"residentKey", "preferred"}, {"requireResidentKey", false}, {"userVerification", "required"}})},
       {"attestation", "none"}});
}

Result<PasskeyAssertion> assertion_from(const Value& object) {
  const Value* const assertion = object.find("assertion");
  if (assertion == nullptr || !assertion->is(Value::Kind::kObject)) return malformed(kWhatAssertion);
  return read_passkey_assertion(assertion->source());
}

// --- agents

Node agent_node(const api::ConsoleAgent& agent) {
  Node node = Node::object({{"name", agent.name},
                            {"id", agent.id},
                            {"state", agent.state},
                            {"reason", agent.reason},
                            {"backend", agent.backend},
                            {"type", agent.type},
                            {"jkt", agent.jkt},
                            {"created_at", agent.created_at},
                            {"key_created_at", agent.key_created_at}});
  set_unless_empty(node, "custody", agent.custody);
  set_optional(node, "last_used_at", agent.last_used_at);
  return node;
}

Node budget_node(const api::ConsoleBudget& budget) {
  return Node::object({{"token", budget.token},
                       {"constraint", budget.constraint},
                       {"kind", budget.kind},
                       {"limit", budget.limit},
                       {"spent", budget.spent},
                       {"ends_at", budget.ends_at}});
}

Node entry_node(const api::AuditEntry& entry) {
  return Node::object({{"number", entry.number}, {"entry", Node::canonical(entry.json)}});
}

}  // namespace

// --- links

std::string write(const api::ConsoleLink& message) {
  Node node =
      Node::object({{"url", message.url}, {"expires_at", message.expires_at}, {"role", message.role}});
  set_unless_empty(node, "principal", message.principal);
  return json::to_jcs(node);
}

Result<api::ConsoleLink> read_console_link(std::string_view json) {
  constexpr const char* kWhat = "a link of the console has `url`, `expires_at` and `role`";
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  api::ConsoleLink out;
  CHANCERY_ASSIGN(out.url, need_text(root, "url", kWhat));
  CHANCERY_ASSIGN(out.expires_at, need_number(root, "expires_at", kAnyTime, kWhat));
  CHANCERY_ASSIGN(out.role, need_text(root, "role", kWhat));
  CHANCERY_ASSIGN(out.principal, text_or_empty(root, "principal", kWhat));
  return out;
}

// --- what the page sends

Result<api::OpenConsole> read_open_console(std::string_view json) {
  constexpr const char* kWhat = "the body has `link`, the link's secret, and nothing else";
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  CHANCERY_TRY(allow_only(document.root(), {"link"}, kWhat));
  CHANCERY_ASSIGN(std::string link, need_text(document.root(), "link", kWhat));
  return api::OpenConsole{std::move(link)};
}

Result<api::PasskeyAnswer> read_passkey_answer(std::string_view json) {
  constexpr const char* kWhat = "the body has `id`, `credential_id` and `assertion`";
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  CHANCERY_TRY(allow_only(root, {"id", "credential_id", "assertion"}, kWhat));
  api::PasskeyAnswer out;
  CHANCERY_ASSIGN(out.id, need_text(root, "id", kWhat));
  CHANCERY_ASSIGN(out.credential_id, need_text(root, "credential_id", kWhat));
  CHANCERY_ASSIGN(out.assertion, assertion_from(root));
  return out;
}

Result<api::PasskeyAnswer> read_passkey_confirmation(std::string_view header) {
  constexpr const char* kWhat = "`Chancery-Confirmation` is base64url of an object with `id` and `assertion`";
  const auto octets = base64url_decode(header);
  if (!octets) return malformed(kWhat);
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(as_text(*octets)));
  const Value& root = document.root();
  CHANCERY_TRY(allow_only(root, {"id", "assertion"}, kWhat));
  api::PasskeyAnswer out;
  CHANCERY_ASSIGN(out.id, need_text(root, "id", kWhat));
  CHANCERY_ASSIGN(out.assertion, assertion_from(root));
  return out;
}

Result<api::PrepareDecision> read_prepare_decision(std::string_view json) {
  constexpr const char* kWhat = "the body has `request`, `verdict` and perhaps `reason`";
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  CHANCERY_TRY(allow_only(root, {"request", "verdict", "reason"}, kWhat));
  api::PrepareDecision out;
  CHANCERY_ASSIGN(out.request, need_text(root, "request", kWhat));
  CHANCERY_ASSIGN(out.verdict, need_text(root, "verdict", kWhat));
  CHANCERY_ASSIGN(out.reason, text_or_empty(root, "reason", kWhat));
  return out;
}

Result<api::PrepareAuthorization> read_prepare_authorization(std::string_view json) {
  constexpr const char* kWhat = "the body has `enrolment`, the document as a text, and nothing else";
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  CHANCERY_TRY(allow_only(document.root(), {"enrolment"}, kWhat));
  CHANCERY_ASSIGN(std::string enrolment, need_text(document.root(), "enrolment", kWhat));
  return api::PrepareAuthorization{std::move(enrolment)};
}

Result<api::AskConfirmation> read_ask_confirmation(std::string_view json) {
  constexpr const char* kWhat =
      "the body has `method`, `path` and perhaps `body`, the text that will be sent";
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  CHANCERY_TRY(allow_only(root, {"method", "path", "body"}, kWhat));
  api::AskConfirmation out;
  CHANCERY_ASSIGN(out.method, need_text(root, "method", kWhat));
  CHANCERY_ASSIGN(out.path, need_text(root, "path", kWhat));
  CHANCERY_ASSIGN(out.body, text_or_empty(root, "body", kWhat));
  return out;
}

Result<api::AskPasskey> read_ask_passkey(std::string_view json) {
  constexpr const char* kWhat = "the body has `principal` and perhaps `groups`, a list, and `replaces`";
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  CHANCERY_TRY(allow_only(root, {"principal", "groups", "replaces"}, kWhat));
  api::AskPasskey out;
  CHANCERY_ASSIGN(out.principal, need_text(root, "principal", kWhat));
  CHANCERY_ASSIGN(out.replaces, text_or_empty(root, "replaces", kWhat));
  if (root.find("groups") == nullptr) return out;
  CHANCERY_ASSIGN(out.groups, string_array(root, "groups", kWhat));
  return out;
}

Result<api::CheckPasskey> read_check_passkey(std::string_view json) {
  constexpr const char* kWhat = "the body has `id` and `registration`, what the browser made";
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  CHANCERY_TRY(allow_only(root, {"id", "registration"}, kWhat));
  const Value* const registration = root.find("registration");
  if (registration == nullptr || !registration->is(Value::Kind::kObject)) return malformed(kWhat);
  api::CheckPasskey out;
  CHANCERY_ASSIGN(out.id, need_text(root, "id", kWhat));
  CHANCERY_ASSIGN(out.registration, read_passkey_registration(registration->source()));
  return out;
}

// --- what it is answered

std::string write(const api::ConsoleSession& message) {
  Node node = Node::object({{"role", message.role},
                            {"uid", message.uid},
                            {"needs_passkey", message.needs_passkey},
                            {"passkeys", message.passkeys},
                            {"began_at", message.began_at},
                            {"ends_at", message.ends_at},
                            {"idle_s", message.idle_s},
                            {"now", message.now},
                            {"version", message.version},
                            {"issuer", message.issuer},
                            {"rp_id", message.rp_id},
                            {"may", text_array(message.may)}});
  set_unless_empty(node, "principal", message.principal);
  set_unless_empty(node, "mark", message.mark);
  if (!message.passkey.empty()) {
    node.set("passkey", Node::object({{"jkt", message.passkey}, {"credential_id", message.credential_id}}));
  }
  return json::to_jcs(node);
}

std::string write(const api::PasskeyQuestion& message) {
  return json::to_jcs(Node::object({{"id", message.id}, {"options", request_options(message)}}));
}

std::string write(const api::PreparedSignature& message) {
  Node node = Node::object({{"input", message.input}, {"options", request_options(message.question)}});
  set_unless_empty(node, "request_sha256", message.request_sha256);
  return json::to_jcs(node);
}

std::string write(const api::PasskeyCreation& message) {
  return json::to_jcs(Node::object({{"id", message.question.id}, {"options", creation_options(message)}}));
}

std::string write(const api::CheckedPasskey& message) {
  return json::to_jcs(Node::object({{"enrolment", message.enrolment},
                                    {"sha256", message.sha256},
                                    {"jkt", message.jkt},
                                    {"first", message.is_first}}));
}

std::string write(const api::ConsoleAgentPage& message) {
  Node node = Node::object({{"agents", array_of(message.agents, agent_node)},
                            {"active", message.active},
                            {"retired", message.retired},
                            {"lost", message.lost}});
  set_unless_empty(node, "next", message.next);
  return json::to_jcs(node);
}

std::string write(const api::ConsoleAgentSight& message) {
  return json::to_jcs(Node::object({{"agent", agent_node(message.agent)},
                                    {"budgets", array_of(message.budgets, budget_node)},
                                    {"tokens", message.tokens}}));
}

std::string write(const api::ConsoleApproval& message) {
  Node node = Node::object({{"approval", Node::canonical(write(message.approval))}});
  if (!message.chain.empty()) node.set("chain", text_array(message.chain));
  return json::to_jcs(node);
}

std::string write(const api::ConsoleChain& message) {
  return json::to_jcs(Node::object({{"chain", text_array(message.chain)}}));
}

std::string write(const api::ConsoleAuditPage& message) {
  Node node = Node::object({{"entries", array_of(message.entries, entry_node)}, {"size", message.size}});
  if (message.next) node.set("next", *message.next);
  return json::to_jcs(node);
}

}  // namespace chancery::wire
