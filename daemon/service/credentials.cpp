#include "daemon/service/credentials.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/base/name.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::service {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;
using store::Credential;
using store::CredentialVersion;
using store::VersionState;

constexpr std::size_t kIdSize = 16;
constexpr std::size_t kMostTools = 64;
constexpr std::size_t kLongestTool = 128;
constexpr std::size_t kLongestText = 128;

// Of what an issuer makes for each call.
constexpr std::string_view kIssued = "issued";
constexpr std::array<std::string_view, 4> kTypes{"api_key", "client_secret", "password",
                                                 "service_account_key"};

constexpr Error kIssuedAlready{
    ErrorCode::kConflict,
    "there is a credential of this name, which its issuer makes for each call: nothing is put"};
constexpr Error kNothingToRotate{
    ErrorCode::kInvalidArgument,
    "an issuer makes this credential for each call: its own secret is the record to rotate, see `chancery vault issuers`"};

Error refused(const char* what) { return {ErrorCode::kInvalidArgument, what}; }

bool is_tool(std::string_view name) {
  return !name.empty() && name.size() <= kLongestTool && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-' || c == '/';
  });
}

bool is_short_text(std::string_view text) {
  return text.size() <= kLongestText &&
         std::ranges::all_of(text, [](unsigned char c) { return c >= ' ' && c != 127; });
}

Status check_value(const SecretBytes& value) {
  if (value.size() < kShortestCredential)
    return refused("a credential's value has at least 4 octets: a shorter one could not be kept out of logs");
  if (value.size() > kLongestCredential) return refused("a credential's value has at most 16384 octets");
  return {};
}

Status check_expiry(const std::optional<std::int64_t>& expires_at, sys_seconds now) {
  if (!expires_at || *expires_at > now.time_since_epoch().count()) return {};
  return refused("`expires_at` is past: a value that has expired is released to nobody");
}

Status check_description(const Credential& credential) {
  if (!is_name(credential.name)) return refused("a credential's name is [a-z0-9][a-z0-9._-]{0,62}");
  if (!credential.issuer.empty() && credential.type != kIssued)
    return refused("the type of a credential that an issuer makes is `issued`");
  if (credential.issuer.empty() && std::ranges::find(kTypes, credential.type) == kTypes.end())
    return refused("a credential's type is `api_key`, `client_secret`, `password` or `service_account_key`");
  if (!classify_scope(credential.scope))
    return refused("a credential has the scope under which it may be used, such as `payments.refund`");
  if (credential.tools.empty() || credential.tools.size() > kMostTools ||
      !std::ranges::all_of(credential.tools, is_tool))
    return refused(
        "a credential has the names of 1 to 64 tools that it is for, each of up to 128 of [A-Za-z0-9._/-]");
  if (!is_short_text(credential.owner) || !is_short_text(credential.environment))
    return refused("owner and environment are texts of at most 128 octets in one line");
  return {};
}

// One order, so that a record says the same in whatever order it was told.
std::vector<std::string> ordered(std::vector<std::string> tools) {
  std::ranges::sort(tools);
  tools.erase(std::unique(tools.begin(), tools.end()), tools.end());
  return tools;
}

std::optional<sys_seconds> time_of(const std::optional<std::int64_t>& time) {
  return time ? std::optional(sys_seconds(seconds(*time))) : std::nullopt;
}

// Before anything is known to exist.
Status admit(Office& office, const CallContext& context, std::string_view scope, std::string_view name) {
  if (is_name(name)) note_attempt(context, {.ids = {{"credential", std::string(name)}}});
  return require_authority(office, context, scope, {{"credential", name}});
}

AuditFacts version_facts(const Credential& credential, std::int64_t version) {
  AuditFacts facts = credential_facts(credential);
  facts.details.set("version", version);
  return facts;
}

// What a credential is released for stands in the log whenever it is said.
AuditFacts described_facts(const Credential& credential) {
  AuditFacts facts = credential_facts(credential);
  json::Node tools = json::Node::array();
  for (const std::string& tool : credential.tools) tools.push_back(tool);
  facts.details.set("type", credential.type);
  if (!credential.issuer.empty()) facts.details.set("issuer", credential.issuer);
  facts.details.set("scope", credential.scope);
  facts.details.set("tools", std::move(tools));
  if (!credential.owner.empty()) facts.details.set("owner", credential.owner);
  if (!credential.environment.empty()) facts.details.set("environment", credential.environment);
  return facts;
}

CredentialVersion next_version(const Credential& credential, const std::optional<std::int64_t>& expires_at,
                               VersionState state, sys_seconds now) {
  CredentialVersion version;
  version.number = credential.versions.empty() ? 1 : credential.versions.back().number + 1;
  version.state = state;
  version.created_at = now;
  version.expires_at = time_of(expires_at);
  if (state == VersionState::kActive) version.activated_at = now;
  return version;
}

std::optional<std::int64_t> number_of(const std::optional<sys_seconds>& time) {
  return time ? std::optional(std::int64_t{time->time_since_epoch().count()}) : std::nullopt;
}

api::CredentialVersion describe(const CredentialVersion& version) {
  api::CredentialVersion out;
  out.number = version.number;
  out.state = store::version_state_name(version.state);
  out.created_at = version.created_at.time_since_epoch().count();
  out.expires_at = number_of(version.expires_at);
  out.activated_at = number_of(version.activated_at);
  out.retire_at = number_of(version.retire_at);
  out.revoked_at = number_of(version.revoked_at);
  out.last_used_at = number_of(version.last_used_at);
  out.uses = version.uses;
  out.open_uses = version.open_uses;
  return out;
}

api::Credential describe(const Credential& credential) {
  api::Credential out;
  out.id = credential.id;
  out.name = credential.name;
  out.type = credential.type;
  out.issuer = credential.issuer;
  out.scope = credential.scope;
  out.tools = credential.tools;
  out.owner = credential.owner;
  out.environment = credential.environment;
  out.rotate_on_hit = credential.rotate_on_hit;
  out.created_at = credential.created_at.time_since_epoch().count();
  for (const CredentialVersion& version : credential.versions) out.versions.push_back(describe(version));
  return out;
}

Result<api::Credential> described(Office& office, const CallContext& context, std::string_view name) {
  CHANCERY_ASSIGN(const Credential credential, office.vault.book.find(name, context.now));
  return describe(credential);
}

// What is sealed of one that is issued: who issues it, so that its record is as hard to change as another's.
SecretBytes value_of(const api::PutCredential& message) {
  return SecretBytes(message.issuer.empty() ? message.value.view() : as_bytes(message.issuer));
}

// Of one that is issued there is no value to put, and nothing to replace where it is found.
Status check_issued(const Office& office, const api::PutCredential& message) {
  if (!message.value.empty() || !message.type.empty() || message.rotate_on_hit)
    return refused("what an issuer makes has no value, type or `rotate_on_hit` of its own: leave them out");
  if (const auto issuer = office.issuers.find(message.issuer); !issuer) return refused(issuer.error().what);
  return {};
}

Status check_value(const Office& office, const api::PutCredential& message) {
  return message.issuer.empty() ? check_value(message.value) : check_issued(office, message);
}

Status put_first(Office& office, const CallContext& context, const api::PutCredential& message) {
  Credential credential;
  credential.name = message.name;
  credential.type = message.issuer.empty() ? message.type : kIssued;
  credential.issuer = message.issuer;
  credential.scope = message.scope;
  credential.tools = ordered(message.tools);
  credential.owner = message.owner;
  credential.environment = message.environment;
  credential.rotate_on_hit = message.rotate_on_hit;
  credential.created_at = context.now;
  CHANCERY_TRY(check_description(credential));
  Bytes id(kIdSize);
  CHANCERY_TRY(random_bytes(id));
  credential.id = hex_encode(id);
  credential.versions = {next_version(credential, message.expires_at, VersionState::kActive, context.now)};
  CHANCERY_ASSIGN(
      const store::Envelope envelope,
      office.vault.seal(credential, credential.versions.front(), value_of(message), on_behalf_of(context)));
  AuditFacts facts = described_facts(credential);
  facts.details.set("version", 1);
  facts.details.set("state", "active");
  CHANCERY_TRY(
      office.vault.book.add(credential, envelope, audit_entry("credential.put", context, std::move(facts))));
  return {};
}

// Whoever puts a value says whom it is for, or leaves it as it is: to change that is another act.
Status require_same_description(const Credential& credential, const api::PutCredential& message) {
  const bool is_same = message.issuer == credential.issuer &&
                       (message.type.empty() || message.type == credential.type) &&
                       (message.scope.empty() || message.scope == credential.scope) &&
                       (message.tools.empty() || ordered(message.tools) == credential.tools) &&
                       (message.owner.empty() || message.owner == credential.owner) &&
                       (message.environment.empty() || message.environment == credential.environment) &&
                       (!message.rotate_on_hit || credential.rotate_on_hit);
  if (is_same) return {};
  return Error{
      ErrorCode::kConflict,
      "there is a credential of this name that is described otherwise: leave out what describes it, or change "
      "that first with `chancery vault change`"};
}

struct NextValue {
  const SecretBytes& value;
  const std::optional<std::int64_t>& expires_at;
  VersionState state;
  seconds drain;
};

Status add_version(Office& office, const CallContext& context, std::string_view action,
                   const Credential& credential, const NextValue& next) {
  store::NewVersion added;
  added.version = next_version(credential, next.expires_at, next.state, context.now);
  added.retire_former_at = context.now + next.drain;
  CHANCERY_ASSIGN(added.envelope,
                  office.vault.seal(credential, added.version, next.value, on_behalf_of(context)));
  AuditFacts facts = version_facts(credential, added.version.number);
  facts.details.set("state", store::version_state_name(next.state));
  CHANCERY_TRY(
      office.vault.book.add_version(credential, added, audit_entry(action, context, std::move(facts))));
  return {};
}

Credential changed_by(Credential credential, const api::ChangeCredential& message) {
  if (message.type) credential.type = *message.type;
  if (message.scope) credential.scope = *message.scope;
  if (message.tools) credential.tools = ordered(*message.tools);
  if (message.owner) credential.owner = *message.owner;
  if (message.environment) credential.environment = *message.environment;
  if (message.rotate_on_hit) credential.rotate_on_hit = *message.rotate_on_hit;
  return credential;
}

}  // namespace

Result<api::Credential> put_credential(Office& office, const CallContext& context,
                                       const api::PutCredential& message) {
  CHANCERY_TRY(admit(office, context, scope::kCredentialsPut, message.name));
  CHANCERY_TRY(check_value(office, message));
  CHANCERY_TRY(check_expiry(message.expires_at, context.now));
  if (message.issuer.empty())
    office.vault.hide(message.value);  // only what may be kept decides what is left out of logs
  const auto known = office.vault.book.find(message.name, context.now);
  if (!known && known.error().code != ErrorCode::kNotFound) return known.error();
  if (!known) {
    CHANCERY_TRY(put_first(office, context, message));
  } else {
    CHANCERY_TRY(require_same_description(*known, message));
    const bool is_served = known->version_in(VersionState::kActive) != nullptr;
    if (is_served && !message.issuer.empty()) return kIssuedAlready;
    const SecretBytes value = value_of(message);
    CHANCERY_TRY(add_version(
        office, context, "credential.put", *known,
        {value, message.expires_at, is_served ? VersionState::kPending : VersionState::kActive, seconds(0)}));
  }
  return described(office, context, message.name);
}

Result<api::Credential> rotate_credential(Office& office, const CallContext& context, std::string_view name,
                                          const api::RotateCredential& message) {
  CHANCERY_TRY(admit(office, context, scope::kCredentialsPut, name));
  CHANCERY_TRY(check_value(message.value));
  CHANCERY_TRY(check_expiry(message.expires_at, context.now));
  office.vault.hide(message.value);
  CHANCERY_ASSIGN(const Credential credential, office.vault.book.find(name, context.now));
  if (!credential.issuer.empty()) return kNothingToRotate;
  CHANCERY_TRY(add_version(office, context, "credential.rotate", credential,
                           {message.value, message.expires_at, VersionState::kActive, message.drain}));
  return described(office, context, name);
}

Result<api::Credential> activate_credential_version(Office& office, const CallContext& context,
                                                    std::string_view name,
                                                    const api::ActivateCredential& message) {
  CHANCERY_TRY(admit(office, context, scope::kCredentialsPut, name));
  CHANCERY_ASSIGN(const Credential credential, office.vault.book.find(name, context.now));
  const CredentialVersion* const pending = credential.version_in(VersionState::kPending);
  AuditFacts facts = version_facts(credential, pending == nullptr ? 0 : pending->number);
  CHANCERY_TRY(office.vault.book.activate(credential, context.now, context.now + message.drain,
                                          audit_entry("credential.activate", context, std::move(facts))));
  return described(office, context, name);
}

Result<api::Credential> change_credential(Office& office, const CallContext& context, std::string_view name,
                                          const api::ChangeCredential& message) {
  CHANCERY_TRY(admit(office, context, scope::kCredentialsPut, name));
  CHANCERY_ASSIGN(const Credential credential, office.vault.book.find(name, context.now));
  const Credential changed = changed_by(credential, message);
  CHANCERY_TRY(check_description(changed));
  std::vector<store::ResealedVersion> resealed;
  for (const CredentialVersion& version : credential.versions) {
    if (version.state == VersionState::kRevoked) continue;
    CHANCERY_ASSIGN(store::Envelope envelope,
                    office.vault.reseal(credential, version, changed, on_behalf_of(context)));
    resealed.push_back({version.number, std::move(envelope)});
  }
  CHANCERY_TRY(office.vault.book.change(credential, changed, resealed,
                                        audit_entry("credential.change", context, described_facts(changed))));
  return described(office, context, name);
}

Result<api::Credential> revoke_credential(Office& office, const CallContext& context, std::string_view name,
                                          const api::RevokeCredential& message) {
  CHANCERY_TRY(admit(office, context, scope::kCredentialsRevoke, name));
  CHANCERY_ASSIGN(const Credential credential, office.vault.book.find(name, context.now));
  AuditFacts facts =
      message.version == 0 ? credential_facts(credential) : version_facts(credential, message.version);
  CHANCERY_TRY(office.vault.book.revoke(credential, message.version, context.now,
                                        audit_entry("credential.revoke", context, std::move(facts))));
  office.issuers.drop(credential.id, context.now);
  return described(office, context, name);
}

Result<api::Credential> show_credential(Office& office, const CallContext& context, std::string_view name) {
  CHANCERY_TRY(require_authority(office, context, scope::kCredentialsRead, {{"credential", name}}));
  return described(office, context, name);
}

Result<api::CredentialPage> list_credentials(Office& office, const CallContext& context, std::size_t limit,
                                             std::string_view after) {
  CHANCERY_TRY(require_authority(office, context, scope::kCredentialsRead));
  CHANCERY_ASSIGN(const std::vector<Credential> credentials,
                  office.vault.book.list(limit, after, context.now));
  api::CredentialPage page;
  for (const Credential& credential : credentials) page.credentials.push_back(describe(credential));
  if (credentials.size() == limit) page.next = credentials.back().name;
  return page;
}

Result<api::VaultReset> reset_vault(Office& office, const CallContext& context) {
  CHANCERY_TRY(require_authority(office, context, scope::kCredentialsRevoke));
  CHANCERY_ASSIGN(const store::VaultCounts counts, office.vault.book.counts());
  const std::uint64_t versions = counts.pending + counts.active + counts.retiring;
  AuditFacts facts{.details = json::Node::object({{"versions", versions}})};
  CHANCERY_TRY(office.vault.reset(on_behalf_of(context), std::move(facts)));
  office.issuers.drop_all(context.now);
  return api::VaultReset{versions};
}

}  // namespace chancery::service
