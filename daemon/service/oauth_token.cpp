#include "daemon/service/authority.hpp"
#include "daemon/service/key_proof.hpp"
#include "daemon/service/oauth.hpp"
#include "daemon/service/sessions.hpp"

namespace chancery::service {
namespace {

// As long as sessions may be.
constexpr std::chrono::minutes kBoundLifetime{10};

// Before anything is signed: a token that nobody receives would stand in the records for nothing.
Status may_bind(const Office& office, const CallContext& context, std::string_view agent,
                const std::optional<Thumbprint>& key) {
  if (!key) return {};
  return require_authority(office, context, scope::kSessionsCreate,
                           {{"agent", agent_name(*office.policy.current(), agent)}});
}

// The agent's own key stays in its device, so a token for another key is one more, handed on by that agent.
Result<std::vector<std::string>> bound(Office& office, const CallContext& context,
                                       std::vector<std::string> chain, const std::optional<Thumbprint>& key) {
  if (!key) return chain;
  CHANCERY_ASSIGN(const AgentChain held, require_holder(office, context, scope::kSessionsCreate, chain));
  CHANCERY_ASSIGN(api::Session session, hand_to_session(office, context, held, *key, kBoundLifetime));
  return std::move(session.chain);
}

}  // namespace

Result<Thumbprint> find_binding(Office& office, const std::string& proof, std::chrono::sys_seconds now) {
  CHANCERY_ASSIGN(std::string nonce, require_nonce(office.nonces, proof, now));
  CHANCERY_ASSIGN(const ProvedKey proved,
                  find_new_key(office, {proof, kTokenPath, std::nullopt, std::move(nonce)}, now));
  const Thumbprint key = proved.key.thumbprint();
  CHANCERY_TRY(require_first_use(office, key, proved.jti, DpopPresentation{}, now));
  return key;
}

Result<std::vector<std::string>> token_by_credentials(Office& office, const CallContext& context,
                                                      const api::CreateGrant& message,
                                                      const std::optional<Thumbprint>& key) {
  CHANCERY_TRY(may_bind(office, context, message.agent, key));
  CHANCERY_ASSIGN(api::Grant granted, grant(office, context, message));
  if (granted.approval)
    return Error{
        ErrorCode::kForbidden,
        "the scopes are behind a gate: people approve the grant first, see `chancery approval list`; then ask again"};
  return bound(office, context, std::move(granted.chain), key);
}

Result<std::vector<std::string>> token_by_exchange(Office& office, const CallContext& context,
                                                   const api::CreateDelegation& message,
                                                   const std::optional<Thumbprint>& key) {
  CHANCERY_TRY(may_bind(office, context, message.to, key));
  CHANCERY_ASSIGN(api::Delegation delegated, delegate(office, context, message));
  return bound(office, context, std::move(delegated.chain), key);
}

}  // namespace chancery::service
