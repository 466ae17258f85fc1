#include "sdk/wire/vault_messages.hpp"

#include "sdk/base/base64.hpp"
#include "sdk/wire/attestation_fields.hpp"
#include "sdk/wire/fields.hpp"

namespace chancery::wire {
namespace {

using json::Document;
using json::Node;
using json::Value;

constexpr Range kDrains{0, 7 * 86400};
constexpr const char* kWhatValue = "`value` is the secret's octets in base64";
constexpr const char* kWhatTools = "`tools` is an array of the names of tools";
constexpr const char* kWhatExpiry = "`expires_at` is a time in seconds since 1970";
constexpr const char* kWhatDrain = "`drain_s` is a number of seconds, 0 to 604800";
constexpr const char* kWhatHit = "`rotate_on_hit` is true or false";
constexpr const char* kWhatConfirmation =
    R"(every credential is lost by this: say so with {"confirm":"forget all credentials"})";
constexpr std::string_view kConfirmation = "forget all credentials";

// A body that names a member wrongly may hold a secret all the same: no part of it is quoted.
constexpr const char* kPutMembers =
    "a credential is put with `name`, `value` and, when it is new, `type`, `scope` and `tools`; `owner`, `environment`, "
    "`rotate_on_hit` and `expires_at` may be said too. One that is issued has `issuer` in place of `value` and `type`";
constexpr const char* kRotateMembers = "a rotation has `value`, and may have `expires_at` and `drain_s`";
constexpr const char* kChangeMembers =
    "a change has any of `type`, `scope`, `tools`, `owner`, `environment` and `rotate_on_hit`";

Result<SecretBytes> value_from(const Value& object) {
  const Value* const member = object.find("value");
  if (member == nullptr || !member->string()) return malformed(kWhatValue);
  auto value = base64_decode_secret(*member->string());
  if (!value) return malformed(kWhatValue);
  return value;
}

Result<std::chrono::seconds> drain_from(const Value& object) {
  CHANCERY_ASSIGN(const auto drain, integer(object, "drain_s", kDrains, kWhatDrain));
  return drain ? std::chrono::seconds(*drain) : api::kDefaultDrain;
}

Result<std::optional<std::string>> text_if_said(const Value& object, std::string_view name,
                                                const char* what) {
  if (object.find(name) == nullptr) return std::optional<std::string>();
  CHANCERY_ASSIGN(std::string text, text_or_empty(object, name, what));
  return std::optional(std::move(text));
}

Node version_node(const api::CredentialVersion& version) {
  Node node = Node::object({{"number", version.number},
                            {"state", version.state},
                            {"created_at", version.created_at},
                            {"uses", version.uses},
                            {"open_uses", version.open_uses}});
  set_optional(node, "expires_at", version.expires_at);
  set_optional(node, "activated_at", version.activated_at);
  set_optional(node, "retire_at", version.retire_at);
  set_optional(node, "revoked_at", version.revoked_at);
  set_optional(node, "last_used_at", version.last_used_at);
  return node;
}

Result<api::CredentialVersion> version_from(const Value& object) {
  constexpr const char* kWhat = "a version has `number`, `state`, `created_at`, `uses` and `open_uses`";
  api::CredentialVersion out;
  CHANCERY_ASSIGN(out.number, need_number(object, "number", kAnyCount, kWhat));
  CHANCERY_ASSIGN(out.state, need_text(object, "state", kWhat));
  CHANCERY_ASSIGN(out.created_at, need_number(object, "created_at", kAnyTime, kWhat));
  CHANCERY_ASSIGN(const std::int64_t uses, need_number(object, "uses", kAnyCount, kWhat));
  CHANCERY_ASSIGN(const std::int64_t open_uses, need_number(object, "open_uses", kAnyCount, kWhat));
  out.uses = static_cast<std::uint64_t>(uses);
  out.open_uses = static_cast<std::uint64_t>(open_uses);
  CHANCERY_ASSIGN(out.expires_at, integer(object, "expires_at", kAnyTime, kWhat));
  CHANCERY_ASSIGN(out.activated_at, integer(object, "activated_at", kAnyTime, kWhat));
  CHANCERY_ASSIGN(out.retire_at, integer(object, "retire_at", kAnyTime, kWhat));
  CHANCERY_ASSIGN(out.revoked_at, integer(object, "revoked_at", kAnyTime, kWhat));
  CHANCERY_ASSIGN(out.last_used_at, integer(object, "last_used_at", kAnyTime, kWhat));
  return out;
}

Node credential_node(const api::Credential& credential) {
  Node node = Node::object({{"id", credential.id},
                            {"name", credential.name},
                            {"type", credential.type},
                            {"scope", credential.scope},
                            {"tools", text_array(credential.tools)},
                            {"rotate_on_hit", credential.rotate_on_hit},
                            {"created_at", credential.created_at},
                            {"versions", array_of(credential.versions, version_node)}});
  set_unless_empty(node, "issuer", credential.issuer);
  set_unless_empty(node, "owner", credential.owner);
  set_unless_empty(node, "environment", credential.environment);
  return node;
}

Result<api::Credential> credential_from(const Value& object) {
  constexpr const char* kWhat =
      "a credential has `id`, `name`, `type`, `scope`, `tools`, `created_at` and `versions`";
  api::Credential out;
  CHANCERY_ASSIGN(out.id, need_text(object, "id", kWhat));
  CHANCERY_ASSIGN(out.name, need_text(object, "name", kWhat));
  CHANCERY_ASSIGN(out.type, need_text(object, "type", kWhat));
  CHANCERY_ASSIGN(out.issuer, text_or_empty(object, "issuer", kWhat));
  CHANCERY_ASSIGN(out.scope, need_text(object, "scope", kWhat));
  CHANCERY_ASSIGN(out.tools, string_array(object, "tools", kWhat));
  CHANCERY_ASSIGN(out.owner, text_or_empty(object, "owner", kWhat));
  CHANCERY_ASSIGN(out.environment, text_or_empty(object, "environment", kWhat));
  CHANCERY_ASSIGN(out.rotate_on_hit, flag(object, "rotate_on_hit", kWhat));
  CHANCERY_ASSIGN(out.created_at, need_number(object, "created_at", kAnyTime, kWhat));
  CHANCERY_ASSIGN(out.versions, items_from<api::CredentialVersion>(object, "versions", kWhat, version_from));
  return out;
}

Node issuer_node(const api::CredentialIssuer& issuer) {
  Node node = Node::object({{"name", issuer.name},
                            {"type", issuer.type},
                            {"state", issuer.state},
                            {"takes_consent", issuer.takes_consent}});
  set_optional(node, "since", issuer.since);
  set_unless_empty(node, "error", issuer.error);
  set_unless_empty(node, "why", issuer.why);
  return node;
}

Result<api::CredentialIssuer> issuer_from(const Value& object) {
  constexpr const char* kWhat = "an issuer has `name`, `type`, `state` and `takes_consent`";
  api::CredentialIssuer out;
  CHANCERY_ASSIGN(out.name, need_text(object, "name", kWhat));
  CHANCERY_ASSIGN(out.type, need_text(object, "type", kWhat));
  CHANCERY_ASSIGN(out.state, need_text(object, "state", kWhat));
  CHANCERY_ASSIGN(out.takes_consent, flag(object, "takes_consent", kWhat));
  CHANCERY_ASSIGN(out.since, integer(object, "since", kAnyTime, kWhat));
  CHANCERY_ASSIGN(out.error, text_or_empty(object, "error", kWhat));
  CHANCERY_ASSIGN(out.why, text_or_empty(object, "why", kWhat));
  return out;
}

}  // namespace

// --- requests

std::string write(const api::PutCredential& message) {
  Node node = Node::object({{"name", message.name}});
  if (message.issuer.empty()) node.set("value", base64_encode(message.value.view()));
  set_unless_empty(node, "issuer", message.issuer);
  set_unless_empty(node, "type", message.type);
  set_unless_empty(node, "scope", message.scope);
  if (!message.tools.empty()) node.set("tools", text_array(message.tools));
  set_unless_empty(node, "owner", message.owner);
  set_unless_empty(node, "environment", message.environment);
  if (message.rotate_on_hit) node.set("rotate_on_hit", true);
  set_optional(node, "expires_at", message.expires_at);
  return json::to_jcs(node);
}

Result<api::PutCredential> read_put_credential(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  CHANCERY_TRY(allow_only(root,
                          {"name", "value", "issuer", "type", "scope", "tools", "owner", "environment",
                           "rotate_on_hit", "expires_at"},
                          kPutMembers));
  api::PutCredential out;
  CHANCERY_ASSIGN(out.name, need_text(root, "name", "`name` is the credential's name"));
  CHANCERY_ASSIGN(out.issuer, text_or_empty(root, "issuer", "`issuer` is the name of an issuer"));
  if (out.issuer.empty() || root.find("value") != nullptr) {
    CHANCERY_ASSIGN(out.value, value_from(root));
  }
  CHANCERY_ASSIGN(out.type, text_or_empty(root, "type", "`type` is a text"));
  CHANCERY_ASSIGN(out.scope, text_or_empty(root, "scope", "`scope` is a text"));
  CHANCERY_ASSIGN(out.tools, texts(root, "tools", kWhatTools));
  CHANCERY_ASSIGN(out.owner, text_or_empty(root, "owner", "`owner` is a text"));
  CHANCERY_ASSIGN(out.environment, text_or_empty(root, "environment", "`environment` is a text"));
  CHANCERY_ASSIGN(out.rotate_on_hit, flag(root, "rotate_on_hit", kWhatHit));
  CHANCERY_ASSIGN(out.expires_at, integer(root, "expires_at", kAnyTime, kWhatExpiry));
  return out;
}

std::string write(const api::RotateCredential& message) {
  Node node = Node::object(
      {{"value", base64_encode(message.value.view())}, {"drain_s", std::int64_t{message.drain.count()}}});
  set_optional(node, "expires_at", message.expires_at);
  return json::to_jcs(node);
}

Result<api::RotateCredential> read_rotate_credential(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  CHANCERY_TRY(allow_only(document.root(), {"value", "expires_at", "drain_s"}, kRotateMembers));
  api::RotateCredential out;
  CHANCERY_ASSIGN(out.value, value_from(document.root()));
  CHANCERY_ASSIGN(out.expires_at, integer(document.root(), "expires_at", kAnyTime, kWhatExpiry));
  CHANCERY_ASSIGN(out.drain, drain_from(document.root()));
  return out;
}

std::string write(const api::ActivateCredential& message) {
  return json::to_jcs(Node::object({{"drain_s", std::int64_t{message.drain.count()}}}));
}

Result<api::ActivateCredential> read_activate_credential(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  CHANCERY_TRY(allow_only(document.root(), {"drain_s"}, "an activation has `drain_s` at most"));
  CHANCERY_ASSIGN(const std::chrono::seconds drain, drain_from(document.root()));
  return api::ActivateCredential{drain};
}

std::string write(const api::ChangeCredential& message) {
  Node node = Node::object({});
  if (message.type) node.set("type", *message.type);
  if (message.scope) node.set("scope", *message.scope);
  if (message.tools) node.set("tools", text_array(*message.tools));
  if (message.owner) node.set("owner", *message.owner);
  if (message.environment) node.set("environment", *message.environment);
  if (message.rotate_on_hit) node.set("rotate_on_hit", *message.rotate_on_hit);
  return json::to_jcs(node);
}

Result<api::ChangeCredential> read_change_credential(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  CHANCERY_TRY(
      allow_only(root, {"type", "scope", "tools", "owner", "environment", "rotate_on_hit"}, kChangeMembers));
  api::ChangeCredential out;
  CHANCERY_ASSIGN(out.type, text_if_said(root, "type", "`type` is a text"));
  CHANCERY_ASSIGN(out.scope, text_if_said(root, "scope", "`scope` is a text"));
  CHANCERY_ASSIGN(out.owner, text_if_said(root, "owner", "`owner` is a text"));
  CHANCERY_ASSIGN(out.environment, text_if_said(root, "environment", "`environment` is a text"));
  if (root.find("tools") != nullptr) {
    CHANCERY_ASSIGN(out.tools, texts(root, "tools", kWhatTools));
  }
  if (root.find("rotate_on_hit") != nullptr) {
    CHANCERY_ASSIGN(out.rotate_on_hit, flag(root, "rotate_on_hit", kWhatHit));
  }
  return out;
}

std::string write(const api::RevokeCredential& message) {
  return json::to_jcs(Node::object({{"version", message.version}}));
}

Result<api::RevokeCredential> read_revoke_credential(std::string_view json) {
  constexpr const char* kWhat = "`version` is the number of a version, from 1";
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  CHANCERY_TRY(allow_only(document.root(), {"version"}, kWhat));
  CHANCERY_ASSIGN(const std::int64_t version,
                  need_number(document.root(), "version", {1, kAnyCount.high}, kWhat));
  return api::RevokeCredential{version};
}

std::string write_confirmation() { return json::to_jcs(Node::object({{"confirm", kConfirmation}})); }

Status read_confirmation(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  CHANCERY_TRY(allow_only(document.root(), {"confirm"}, kWhatConfirmation));
  CHANCERY_ASSIGN(const std::string said, need_text(document.root(), "confirm", kWhatConfirmation));
  return said == kConfirmation ? Status{} : Status{malformed(kWhatConfirmation)};
}

// --- answers

std::string write(const api::Credential& message) { return json::to_jcs(credential_node(message)); }

Result<api::Credential> read_credential(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  return credential_from(document.root());
}

std::string write(const api::CredentialPage& message) {
  Node node = Node::object({{"credentials", array_of(message.credentials, credential_node)}});
  set_unless_empty(node, "next", message.next);
  return json::to_jcs(node);
}

Result<api::CredentialPage> read_credential_page(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::CredentialPage out;
  CHANCERY_ASSIGN(out.credentials,
                  items_from<api::Credential>(document.root(), "credentials",
                                              "a page has `credentials`, an array", credential_from));
  CHANCERY_ASSIGN(out.next, text_or_empty(document.root(), "next", "`next` is a text"));
  return out;
}

std::string write(const api::VaultReset& message) {
  return json::to_jcs(Node::object({{"versions", message.versions}}));
}

Result<api::VaultReset> read_vault_reset(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  CHANCERY_ASSIGN(const std::int64_t versions,
                  need_number(document.root(), "versions", kAnyCount, "a reset says `versions`"));
  return api::VaultReset{static_cast<std::uint64_t>(versions)};
}

// --- issuers

std::string write(const api::CredentialIssuer& message) { return json::to_jcs(issuer_node(message)); }

Result<api::CredentialIssuer> read_credential_issuer(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  return issuer_from(document.root());
}

std::string write(const api::CredentialIssuerList& message) {
  return json::to_jcs(Node::object({{"issuers", array_of(message.issuers, issuer_node)}}));
}

Result<api::CredentialIssuerList> read_credential_issuer_list(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::CredentialIssuerList out;
  CHANCERY_ASSIGN(out.issuers,
                  items_from<api::CredentialIssuer>(document.root(), "issuers",
                                                    "a list has `issuers`, an array", issuer_from));
  return out;
}

std::string write(const api::BeginConsent& message) {
  Node node = Node::object();
  if (message.port != 0) node.set("port", message.port);
  return json::to_jcs(node);
}

Result<api::BeginConsent> read_begin_consent(std::string_view json) {
  constexpr const char* kWhat = "a consent begins with `port` at most, 1 to 65535";
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  CHANCERY_TRY(allow_only(document.root(), {"port"}, kWhat));
  CHANCERY_ASSIGN(const auto port, integer(document.root(), "port", {1, 65535}, kWhat));
  return api::BeginConsent{port.value_or(0)};
}

std::string write(const api::BegunConsent& message) {
  return json::to_jcs(
      Node::object({{"authorization_url", message.authorization_url}, {"expires_at", message.expires_at}}));
}

Result<api::BegunConsent> read_begun_consent(std::string_view json) {
  constexpr const char* kWhat = "a consent that is begun has `authorization_url` and `expires_at`";
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::BegunConsent out;
  CHANCERY_ASSIGN(out.authorization_url, need_text(document.root(), "authorization_url", kWhat));
  CHANCERY_ASSIGN(out.expires_at, need_number(document.root(), "expires_at", kAnyTime, kWhat));
  return out;
}

std::string write(const api::FinishConsent& message) {
  return json::to_jcs(Node::object({{"query", base64_encode(message.query.view())}}));
}

// As of a value, no part of it is quoted: it has a code that is as good as a secret for a minute.
Result<api::FinishConsent> read_finish_consent(std::string_view json) {
  constexpr const char* kWhat = "a consent ends with `query`, the query of the redirect's address in base64";
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  CHANCERY_TRY(allow_only(document.root(), {"query"}, kWhat));
  const Value* const query = document.root().find("query");
  if (query == nullptr || !query->string()) return malformed(kWhat);
  auto decoded = base64_decode_secret(*query->string());
  if (!decoded) return malformed(kWhat);
  return api::FinishConsent{*std::move(decoded)};
}

}  // namespace chancery::wire
