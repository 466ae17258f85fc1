#include <algorithm>

#include "daemon/service/authority.hpp"
#include "daemon/service/gated_grant.hpp"
#include "daemon/service/issuing.hpp"
#include "sdk/token/authority_json.hpp"

namespace chancery::service {
namespace {

// Authority over this daemon itself never comes from a grant.
Status refuse_control_plane(const Authority& authority) {
  const bool asked = std::ranges::any_of(
      authority.scopes, [](const std::string& scope) { return scope.starts_with(kControlPlane); });
  if (!asked) return {};
  return Error{ErrorCode::kForbidden,
               "scopes under `chancery.` govern this daemon and are never granted: leave them out"};
}

Status require_within_ceiling(const Policy& policy, const api::CreateGrant& message) {
  const Authority& asked = message.authority;
  const Authority ceiling{policy.granted_scopes.empty() ? asked.scopes : policy.granted_scopes,
                          policy.granted_constraints};
  if (const auto excess = first_excess(ceiling, asked)) {
    return Error{
        ErrorCode::kCeilingExceeded,
        excess->kind == Excess::Kind::kScope
            ? "a scope is outside what may be granted: see [grants] scopes in the configuration"
            : "a constraint that every grant must keep is missing or too wide: see [grants] constraints"};
  }
  if (message.lifetime > policy.max_grant_lifetime)
    return Error{ErrorCode::kLimitExceeded, "`lifetime_s` is longer than [grants] max_lifetime allows"};
  if (message.depth > policy.max_grant_depth)
    return Error{ErrorCode::kLimitExceeded, "`depth` is greater than [grants] max_depth allows"};
  const auto& audiences = policy.granted_audiences;
  const bool allowed =
      audiences.empty() || std::ranges::all_of(message.audience, [&](const std::string& audience) {
        return std::ranges::find(audiences, audience) != audiences.end();
      });
  if (allowed) return {};
  return Error{ErrorCode::kAudienceNotGranted,
               "an audience is not among those that may be granted: see [grants] audiences"};
}

// What a TPM enforces is asked of grants, not of what is done under them.
Status require_gate(const Policy& policy, const std::string& gate) {
  if (gate.empty()) return {};
  const auto found = std::ranges::find(policy.gates, gate, &Gate::name);
  if (found == policy.gates.end())
    return Error{ErrorCode::kInvalidArgument, "`gate` names no [[gate]] of the configuration"};
  if (!found->tpm_enforced) return {};
  return Error{
      ErrorCode::kInvalidArgument,
      "`gate` is one that the TPM enforces: it is about grants of its scopes, and not about what is done under a grant"};
}

Claims root_claims(const Policy& policy, const api::CreateGrant& message, const store::Agent& agent,
                   std::chrono::sys_seconds now) {
  Claims claims;
  claims.iss = policy.issuer_url;
  claims.sub = message.principal;
  claims.client_id = spiffe_id(policy, agent.name);
  claims.aud = message.audience;
  claims.iat = static_cast<double>(now.time_since_epoch().count());
  claims.exp = claims.iat + static_cast<double>(message.lifetime.count());
  claims.holder = agent.key.stored.public_key.thumbprint();
  // Depth counts agents; one more token lets the last of them open a session.
  claims.del_max_depth = message.depth + 1;
  claims.authority = message.authority;
  return claims;
}

// A wildcard of which a qualified constraint bounds a part only: the rest of it is unbounded.
std::vector<std::string> unbounded_wildcards(const Authority& authority) {
  std::vector<std::string> warnings;
  for (const Constraint& constraint : authority.constraints) {
    const auto key = qualified_key(constraint.key);
    if (!key) continue;
    for (const std::string& scope : authority.scopes) {
      if (scope == key->scope || !scope_covers(scope, key->scope)) continue;
      warnings.push_back("scope " + scope + " is only partly bounded: " + constraint.key +
                         " does not bound what " + scope + " allows beyond " + std::string(key->scope));
    }
  }
  return warnings;
}

}  // namespace

Result<api::Grant> grant(Office& office, const CallContext& context, const api::CreateGrant& message) {
  note_attempt(context, {.principal = message.principal,
                         .agent = message.agent,
                         .details = json::Node::object({{"asked", to_json(message.authority)}})});
  CHANCERY_TRY(require_authority(office, context, scope::kGrantsMint,
                                 {{"sub", message.principal}, {"agent", message.agent}}));
  CHANCERY_TRY(refuse_control_plane(message.authority));
  const auto policy = office.policy.current();
  CHANCERY_TRY(require_within_ceiling(*policy, message));
  CHANCERY_TRY(require_gate(*policy, message.gate));
  if (message.depth > 1) CHANCERY_TRY(require_bounded_budgets(message.authority));
  CHANCERY_ASSIGN(const store::Agent agent, office.store.agent_by_name(message.agent));
  CHANCERY_TRY(require_serving(agent, context.now));

  Claims claims = root_claims(*policy, message, agent, context.now);
  const std::vector<const Gate*> gates = gates_of_grant(policy->gates, message.authority.scopes);
  if (gates.size() > 1) {
    return Error{
        ErrorCode::kInvalidArgument,
        "the scopes are behind several gates that the TPM enforces: ask for those of each in a grant of its own"};
  }
  if (!gates.empty()) {
    CHANCERY_ASSIGN(api::Grant behind,
                    grant_behind(office, context, message, *gates.front(), agent, std::move(claims)));
    behind.warnings = unbounded_wildcards(message.authority);
    return behind;
  }
  CHANCERY_ASSIGN(std::string root,
                  issue_root(office, context, std::move(claims), &agent, {"token.grant", message.gate}));
  return api::Grant{{std::move(root)}, unbounded_wildcards(message.authority), {}};
}

}  // namespace chancery::service
