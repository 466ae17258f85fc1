#include "daemon/service/agent_keys.hpp"

#include <algorithm>

#include "daemon/service/attestation.hpp"
#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/gated_grant.hpp"
#include "daemon/service/status_acts.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"

namespace chancery::service {
namespace {

using store::KeyState;
using Kind = store::KeyIntent::Kind;

constexpr std::chrono::seconds kLongestOverlap = std::chrono::days(366);

Result<std::chrono::seconds> read_overlap(const std::optional<std::chrono::seconds>& asked,
                                          std::chrono::seconds otherwise) {
  if (!asked) return otherwise;
  if (*asked >= std::chrono::seconds(0) && *asked <= kLongestOverlap) return *asked;
  return Error{ErrorCode::kInvalidArgument, "`overlap_s` must be 0 to 31622400 seconds, a year"};
}

AuditFacts succession(const store::Key& key, const store::Agent& agent) {
  AuditFacts facts = key_facts(key);
  facts.agent = agent.name;
  facts.ids.emplace_back("former_key", agent.key.stored.public_key.thumbprint().text());
  facts.details.set("former_state", store::key_state_name(agent.key.state));
  return facts;
}

// The agent's name, or "issuer" or "status".
Result<std::string> owner_name(const Office& office, const store::Key& key) {
  if (store::is_daemons(key.owner)) return key.owner;
  CHANCERY_ASSIGN(store::Agent agent, office.store.agent_by_id(key.owner));
  return std::move(agent.name);
}

// With the key before as it is now: the new one has changed its state.
Result<api::Rotation> rotation_of(const Office& office, const store::Key& key,
                                  const std::optional<store::Key>& former, std::string_view owner) {
  api::Rotation out{describe_key(key, owner), std::nullopt};
  if (!former) return out;
  CHANCERY_ASSIGN(const store::Key present, office.store.key(former->stored.public_key.thumbprint()));
  out.former = describe_key(present, owner);
  return out;
}

// What a key of attestation results signed that is published no more is of no use to anybody.
Status forget_results(const Office& office) {
  return office.attestation.hosts.forget_results(office.policy->issuer_url);
}

// Of a device that is gone an agent may have lost more than its newest key.
Status revoke_lost(Office& office, const store::Agent& agent, const CallContext& context) {
  CHANCERY_ASSIGN(const std::vector<store::Key> keys, office.store.keys(agent.id));
  for (const store::Key& key : keys) {
    if (key.state != KeyState::kLost) continue;
    const Status revoked = revoke_at_once(office, key, "revoked when the agent got a new key", context);
    if (!revoked && revoked.error().code != ErrorCode::kConflict) return revoked;  // another was quicker
  }
  return {};
}

store::StatusTarget target_of(const store::Key& key) {
  return {store::StatusTarget::Kind::kKey, key.stored.public_key.thumbprint().text()};
}

Result<api::Rotation> rotate_own(const Office& office, const CallContext& context, DaemonKeys& keys,
                                 const api::RotateKey& message) {
  if (!message.backend.empty() || !message.algorithm.empty()) {
    return Error{
        ErrorCode::kInvalidArgument,
        "the backend of the daemon's keys is configured, and they are ES256: give `overlap_s` alone"};
  }
  CHANCERY_ASSIGN(const std::chrono::seconds overlap, read_overlap(message.overlap, keys.options().overlap));
  CHANCERY_ASSIGN(const std::optional<store::Key> former, keys.newest());
  // With less than the usual overlap a rotation ends chains as a revocation does.
  if (former && overlap < keys.options().overlap) {
    CHANCERY_TRY(require_no_ancestor(office, context, target_of(*former)));
  }
  CHANCERY_ASSIGN(const store::Key key, keys.rotate(on_behalf_of(context), overlap));
  return rotation_of(office, key, former, keys.options().owner);
}

Result<api::KeyList> keys_of(const Office& office, std::string_view owner, std::string_view name) {
  CHANCERY_ASSIGN(const std::vector<store::Key> keys, office.store.keys(owner));
  api::KeyList out;
  for (const store::Key& key : keys) out.keys.push_back(describe_key(key, name));
  return out;
}

}  // namespace

Status revoke_at_once(Office& office, const store::Key& key, std::string_view reason,
                      const CallContext& context) {
  AuditFacts facts = key_facts(key);
  facts.details.set("reason", reason);
  CHANCERY_TRY(office.store.change_key(key.stored.public_key.thumbprint(), KeyState::kRevoked, reason,
                                       audit_entry("key.revoke", context, std::move(facts))));
  // Each whatever becomes of the other; the keeper tries again what failed.
  const Status published = daemon_keys(office, key.owner).publish(context.now);
  const Status gates = key.owner.starts_with(store::kGateOwner) ? publish_gates(office) : Status();
  CHANCERY_TRY(published);
  CHANCERY_TRY(gates);
  if (key.owner == store::kAttestation) CHANCERY_TRY(forget_results(office));
  destroy_now_or_later(office, key, context);
  return {};
}

std::optional<std::int64_t> seconds_of(const std::optional<std::chrono::sys_seconds>& time) {
  if (!time) return std::nullopt;
  return time->time_since_epoch().count();
}

Result<Thumbprint> read_thumbprint(std::string_view text) {
  const auto octets = base64url_decode_exactly<32>(text);
  if (octets) return Thumbprint{*octets};
  return Error{
      ErrorCode::kInvalidArgument,
      "a key is named by its RFC 7638 thumbprint, 43 characters of base64url: `chancery key list` shows those "
      "of agents"};
}

Result<Algorithm> read_algorithm(std::string_view name, Algorithm otherwise) {
  if (name.empty()) return otherwise;
  for (const Algorithm algorithm : {Algorithm::kES256, Algorithm::kEd25519}) {
    if (algorithm_name(algorithm) == name) return algorithm;
  }
  return Error{ErrorCode::kUnsupportedAlgorithm, "`algorithm` must be ES256 or Ed25519"};
}

api::Key describe_key(const store::Key& key, std::string_view owner) {
  return api::Key{
      .jkt = key.stored.public_key.thumbprint().text(),
      .owner = std::string(owner),
      .backend = key.backend,
      .algorithm = std::string(algorithm_name(key.stored.public_key.algorithm())),
      .state = std::string(store::key_state_name(key.state)),
      .reason = key.reason,
      .created_at = key.created_at.time_since_epoch().count(),
      .overlap_until = seconds_of(key.overlap_until),
      .ended_at = seconds_of(key.ended_at),
      .destroyed_at = seconds_of(key.destroyed_at),
  };
}

Result<api::Ended> what_ends(const Office& office, const std::vector<store::Key>& keys,
                             std::chrono::sys_seconds now) {
  std::vector<Thumbprint> holders;
  for (const store::Key& key : keys) {
    if (key.state != KeyState::kRetired && key.state != KeyState::kRevoked) {
      holders.push_back(key.stored.public_key.thumbprint());
    }
  }
  CHANCERY_ASSIGN(store::EndedTokens tokens, office.store.tokens_of(holders, now));
  return api::Ended{tokens.held, tokens.descendants, seconds_of(tokens.until), std::move(tokens.agents)};
}

Result<store::Key> follow_key(Office& office, const store::Agent& agent, KeyLife::NewKey wanted,
                              const Occasion& occasion) {
  const std::chrono::sys_seconds overlap_until = occasion.now + wanted.intent.overlap;
  const char* const action = wanted.intent.kind == Kind::kRotate ? "key.rotate" : "key.reenroll";
  const auto record = [&](const store::Key& key) -> Status {
    CHANCERY_TRY(
        office.store.add_key(key, overlap_until, audit_entry(action, occasion, succession(key, agent))));
    return {};
  };
  CHANCERY_ASSIGN(store::Key key,
                  office.life.make(std::move(wanted), occasion.now, occasion.deadline, record));
  office.attestation.note_made(key.stored.public_key.thumbprint());
  return key;
}

namespace {

// Whose key it is counts as soon as it is known. To who may not revoke it, a key that is not there is as one
// of somebody else.
Status require_authority_on_key(const Office& office, const CallContext& context,
                                std::string_view thumbprint) {
  const auto wanted = read_thumbprint(thumbprint);
  const auto key = wanted ? office.store.key(*wanted) : Result<store::Key>(wanted.error());
  const auto owner = key ? owner_name(office, *key) : Result<std::string>(key.error());
  if (!owner) return require_authority(office, context, scope::kKeysRevoke, {{"key", thumbprint}});
  return require_authority(office, context, scope::kKeysRevoke, {{"key", thumbprint}, {"agent", *owner}});
}

}  // namespace

void destroy_now_or_later(Office& office, const store::Key& key, const CallContext& context) {
  if (key.state == KeyState::kRetired || key.state == KeyState::kRevoked) return;  // it was, or will be
  static_cast<void>(office.life.destroy(key, context.now, context.deadline));
}

// --- use cases

Result<api::Rotation> rotate_agent(Office& office, const CallContext& context, std::string_view name,
                                   const api::RotateKey& message) {
  CHANCERY_TRY(require_authority(office, context, scope::kAgentsRotate, {{"agent", name}}));
  CHANCERY_ASSIGN(const std::chrono::seconds overlap,
                  read_overlap(message.overlap, office.policy->key_overlap));
  CHANCERY_ASSIGN(const store::Agent agent, office.store.agent_by_name(name));
  CHANCERY_TRY(require_no_ancestor(office, context, {store::StatusTarget::Kind::kAgent, agent.id}));
  if (agent.key.state != KeyState::kActive) {
    return Error{ErrorCode::kKeyLost,
                 "the agent's key is lost or revoked: `chancery agent reenroll` gives it a new one"};
  }
  CHANCERY_ASSIGN(const Algorithm algorithm,
                  read_algorithm(message.algorithm, agent.key.stored.public_key.algorithm()));
  const std::string& backend = message.backend.empty() ? agent.key.backend : message.backend;
  CHANCERY_ASSIGN(const store::Key key,
                  follow_key(office, agent, {{Kind::kRotate, backend, agent.id, {}, overlap, algorithm}},
                             on_behalf_of(context)));
  return rotation_of(office, key, agent.key, agent.name);
}

Result<api::Rotation> reenroll_agent(Office& office, const CallContext& context, std::string_view name,
                                     const api::ReenrollAgent& message) {
  CHANCERY_TRY(require_authority(office, context, scope::kAgentsReenroll, {{"agent", name}}));
  CHANCERY_ASSIGN(const store::Agent agent, office.store.agent_by_name(name));
  if (message.revoke) {
    CHANCERY_TRY(require_no_ancestor(office, context, {store::StatusTarget::Kind::kAgent, agent.id}));
  }
  if (agent.key.state == KeyState::kActive) {
    return Error{
        ErrorCode::kConflict,
        "the agent's key is neither lost nor revoked: `chancery agent rotate` follows it with another"};
  }
  CHANCERY_ASSIGN(const Algorithm algorithm,
                  read_algorithm(message.algorithm, agent.key.stored.public_key.algorithm()));
  const std::string& backend = message.backend.empty() ? agent.key.backend : message.backend;
  // Before the new key: if this stops half-way, it can be asked for again.
  if (message.revoke) CHANCERY_TRY(revoke_lost(office, agent, context));
  CHANCERY_ASSIGN(const store::Key key,
                  follow_key(office, agent, {{Kind::kMake, backend, agent.id, {}, {}, algorithm}},
                             on_behalf_of(context)));
  return rotation_of(office, key, agent.key, agent.name);
}

Result<api::Rotation> rotate_issuer(Office& office, const CallContext& context,
                                    const api::RotateKey& message) {
  CHANCERY_TRY(require_authority(office, context, scope::kIssuerRotate));
  return rotate_own(office, context, office.issuer, message);
}

Result<api::Rotation> rotate_status_key(Office& office, const CallContext& context,
                                        const api::RotateKey& message) {
  CHANCERY_TRY(require_authority(office, context, scope::kIssuerRotate));
  return rotate_own(office, context, office.statuses.keys, message);
}

Result<api::Rotation> rotate_attestation_key(Office& office, const CallContext& context,
                                             const api::RotateKey& message) {
  CHANCERY_TRY(require_authority(office, context, scope::kIssuerRotate));
  CHANCERY_ASSIGN(api::Rotation rotation, rotate_own(office, context, office.attestation.keys, message));
  const std::chrono::seconds overlap = message.overlap.value_or(office.attestation.keys.options().overlap);
  if (overlap < office.attestation.options->result_lifetime) CHANCERY_TRY(forget_results(office));
  return rotation;
}

Result<api::Rotation> rotate_audit_key(Office& office, const CallContext& context,
                                       const api::RotateKey& message) {
  CHANCERY_TRY(require_authority(office, context, scope::kIssuerRotate));
  return rotate_own(office, context, office.audit.keys, message);
}

Result<api::Rotation> rotate_webhook_key(Office& office, const CallContext& context,
                                         const api::RotateKey& message) {
  CHANCERY_TRY(require_authority(office, context, scope::kIssuerRotate));
  if (!office.webhook.is_configured() && !office.approvals_webhook.is_configured()) {
    return Error{ErrorCode::kNotFound,
                 "there is no webhook to tell: set url in [anomaly.webhook] or [approvals.webhook] first"};
  }
  return rotate_own(office, context, office.webhook.keys, message);
}

Result<api::KeyList> list_keys(Office& office, const CallContext& context, std::string_view agent) {
  if (agent.empty()) {
    CHANCERY_TRY(require_authority(office, context, scope::kIssuerRead));
    return keys_of(office, store::kIssuer, store::kIssuer);
  }
  CHANCERY_TRY(require_authority(office, context, scope::kKeysRead, {{"agent", agent}}));
  CHANCERY_ASSIGN(const store::Agent found, office.store.agent_by_name(agent));
  return keys_of(office, found.id, agent);
}

Result<api::KeyList> list_status_keys(Office& office, const CallContext& context) {
  CHANCERY_TRY(require_authority(office, context, scope::kIssuerRead));
  return keys_of(office, store::kStatusLists, store::kStatusLists);
}

Result<api::KeyList> list_attestation_keys(Office& office, const CallContext& context) {
  CHANCERY_TRY(require_authority(office, context, scope::kIssuerRead));
  return keys_of(office, store::kAttestation, store::kAttestation);
}

Result<api::KeyList> list_webhook_keys(Office& office, const CallContext& context) {
  CHANCERY_TRY(require_authority(office, context, scope::kIssuerRead));
  return keys_of(office, store::kWebhook, store::kWebhook);
}

Result<api::Revocation> revoke_key(Office& office, const CallContext& context, std::string_view thumbprint,
                                   const api::RevokeKey& message) {
  CHANCERY_TRY(require_authority_on_key(office, context, thumbprint));
  CHANCERY_TRY(check_reason(message.reason));
  CHANCERY_ASSIGN(const Thumbprint wanted, read_thumbprint(thumbprint));
  CHANCERY_TRY(
      require_no_ancestor(office, context, {store::StatusTarget::Kind::kKey, std::string(thumbprint)}));
  CHANCERY_ASSIGN(const store::Key key, office.store.key(wanted));
  CHANCERY_ASSIGN(const std::string owner, owner_name(office, key));
  CHANCERY_ASSIGN(const api::Ended ended, what_ends(office, {key}, context.now));
  CHANCERY_TRY(revoke_at_once(office, key, office.redactor->text(message.reason), context));
  CHANCERY_ASSIGN(const store::Key present, office.store.key(wanted));
  return api::Revocation{describe_key(present, owner), ended};
}

Result<api::Adoption> adopt_backend(Office& office, const CallContext& context, std::string_view name) {
  CHANCERY_TRY(require_authority(office, context, scope::kBackendsAdopt, {{"backend", name}}));
  CHANCERY_ASSIGN(hsm::KeyBackend* const backend, office.backends.find(name));
  api::Adoption out{std::string(name), {}};
  const Status adopted = backend->adopt([&](ByteView device_name) -> Status {
    out.device = hex_encode(device_name);
    AuditFacts facts = backend_facts(name);
    facts.details.set("device_name", out.device);
    CHANCERY_TRY(office.store.replace_backend(name, out.device, "device_replaced",
                                              audit_entry("backend.adopt", context, std::move(facts))));
    return {};
  });
  CHANCERY_TRY(adopted);
  CHANCERY_TRY(forget_own_host(office, name, on_behalf_of(context)));
  return out;
}

}  // namespace chancery::service
