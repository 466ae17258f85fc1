#include <algorithm>

#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/issuing.hpp"
#include "daemon/service/key_proof.hpp"
#include "daemon/store/join_book.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::service {
namespace {

constexpr std::size_t kTokenSize = 32;
constexpr std::string_view kPrefix =
    "chancery-join-";  // so that scanners of repositories know one when they see it

std::string hash_of(std::string_view token) { return hex_encode(sha256(as_bytes(token))); }

Result<std::string> new_token() {
  Bytes octets(kTokenSize);
  CHANCERY_TRY(random_bytes(octets));
  return std::string(kPrefix) + base64url_encode(octets);
}

// By any other chain an agent's process would have a token for a key in its memory that lives longer than a session.
Status require_control_plane(const Policy& policy, const VerifiedChain& chain) {
  CHANCERY_TRY(require_audience(policy, chain));
  const auto& scopes = chain.leaf().claims().authority.scopes;
  const bool is_ours =
      std::ranges::all_of(scopes, [](const std::string& scope) { return scope.starts_with(kControlPlane); });
  if (is_ours) return {};
  return Error{ErrorCode::kForbidden,
               "a process joins for authority over this daemon: every scope must begin with `chancery.`; for "
               "others it opens a session"};
}

// The chain as it is judged when it is used for the daemon itself, held by the agent's present key.
Result<AgentChain> require_access(const Office& office, const CallContext& context,
                                  std::span<const std::string_view> chain, const store::Agent& agent) {
  CHANCERY_TRY(office.spending.require_newest());
  const Verdict verdict = judge_use(office, chain, office.trust.own(), context.now, office.policy->verify);
  if (!verdict.valid()) {
    note_denial(context, verdict.denial());
    return Error{ErrorCode::kParentDenied,
                 "the chain that the process is to have a part of does not verify: delegate a new one", 0,
                 static_cast<std::int16_t>(verdict.denial().hop)};
  }
  if (verdict.chain().leaf().claims().holder != agent.key.stored.public_key.thumbprint()) {
    return Error{ErrorCode::kNotHolder, "the chain's last token must be held by the agent's present key"};
  }
  CHANCERY_TRY(require_serving(agent, context.now));
  CHANCERY_TRY(require_control_plane(*office.policy.current(), verdict.chain()));
  return AgentChain{verdict.chain(), agent};
}

Error refusal(store::JoinUse use) {
  return {ErrorCode::kForbidden,
          use == store::JoinUse::kExpired
              ? "the join token has expired: ask the operator for a new one"
              : "the join token is not good: each is good once, ask the operator for a new one"};
}

// Somebody has the token who should not: the operator is to see it, and nobody else learns anything.
Error alarm(Office& office, const CallContext& context, const store::JoinToken& token) {
  AuditFacts facts{.ids = {{"agent_id", token.agent_id}, {"join", token.hash}},
                   .outcome = AuditOutcome::kRefused};
  const auto recorded = office.store.append_audit(audit_entry("join.reused", context, std::move(facts)));
  office.join_alarms->fetch_add(1, std::memory_order_relaxed);
  return recorded ? refusal(store::JoinUse::kUsedBefore) : recorded.error();
}

Result<Claims> joined_claims(const AgentChain& access, const Thumbprint& key, std::chrono::sys_seconds now) {
  const Claims& leaf = access.chain.leaf().claims();
  DelegationRequest request;
  request.client_id = leaf.client_id;
  request.holder = key;
  request.authority = leaf.authority;
  request.lifetime = std::chrono::seconds(static_cast<std::int64_t>(leaf.exp)) - now.time_since_epoch();
  CHANCERY_ASSIGN(request.jti, random_id());
  CHANCERY_ASSIGN(Attenuation child, attenuate(access.chain.leaf(), access.chain.max_depth(), request, now));
  child.claims.del_max_depth = child.claims.del_depth + 1;
  return std::move(child.claims);
}

Result<api::Joined> hand_out(Office& office, const CallContext& context, const store::JoinToken& token,
                             const Thumbprint& key) {
  CHANCERY_ASSIGN(const store::Agent agent, office.store.agent_by_id(token.agent_id));
  const std::vector<std::string_view> parents = split_chain(token.chain);
  CHANCERY_ASSIGN(const AgentChain access, require_access(office, context, parents, agent));
  CHANCERY_ASSIGN(const Claims claims, joined_claims(access, key, context.now));
  CHANCERY_ASSIGN(std::string issued, issue_child(office, context, access, claims, nullptr, "token.join"));
  api::Joined joined{
      agent.name, spiffe_id(*office.policy.current(), agent.name), {parents.begin(), parents.end()}};
  joined.chain.push_back(std::move(issued));
  return joined;
}

}  // namespace

Result<api::JoinToken> create_join_token(Office& office, const CallContext& context,
                                         const api::CreateJoinToken& message) {
  note_attempt(context, {.agent = message.agent, .ids = {{"parent", leaf_id(message.chain)}}});
  CHANCERY_TRY(require_authority(office, context, scope::kJoinTokensCreate, {{"agent", message.agent}}));
  CHANCERY_ASSIGN(const store::Agent agent, office.store.agent_by_name(message.agent));
  const std::vector<std::string_view> chain(message.chain.begin(), message.chain.end());
  CHANCERY_ASSIGN(const AgentChain access, require_access(office, context, chain, agent));
  CHANCERY_TRY(joined_claims(access, Thumbprint{}, context.now));  // whether there is room for one more token
  CHANCERY_TRY(adopt(office, access.chain));
  CHANCERY_ASSIGN(std::string token, new_token());
  const store::JoinToken record{hash_of(token), agent.id, join_chain(message.chain), context.now,
                                context.now + message.lifetime};
  AuditFacts facts{.principal = access.chain.principal(),
                   .agent = agent.name,
                   .ids = {{"agent_id", agent.id},
                           {"join", record.hash},
                           {"parent", hex_encode(access.chain.leaf().digest())}}};
  CHANCERY_TRY(office.joins.add(record, audit_entry("join_token.create", context, std::move(facts))));
  return api::JoinToken{std::move(token), record.expires_at.time_since_epoch().count()};
}

Result<api::Joined> join(Office& office, const CallContext& context, std::string_view token,
                         const std::string& key_proof) {
  note_attempt(context, {.ids = {{"join", hash_of(token)}}});
  CHANCERY_ASSIGN(std::string nonce, require_nonce(office.nonces, key_proof, context.now));
  CHANCERY_ASSIGN(const ProvedKey proved,
                  find_new_key(office, {key_proof, "/v1/join", token, std::move(nonce)}, context.now));
  store::JoinToken record;
  CHANCERY_ASSIGN(const store::JoinUse use, office.joins.take(hash_of(token), context.now, record));
  if (use == store::JoinUse::kUsedBefore) return alarm(office, context, record);
  if (use != store::JoinUse::kTaken) return refusal(use);
  auto joined = hand_out(office, context, record, proved.key.thumbprint());
  // Nothing was given out: once what is in the way has passed, such as a device that is away, the process joins.
  if (!joined) CHANCERY_TRY(office.joins.give_back(record.hash));
  return joined;
}

}  // namespace chancery::service
