#include "daemon/rest/routes.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/service/authority.hpp"

namespace chancery::rest {

std::span<const Route> routes() noexcept {
  using enum Listener;
  namespace scope = service::scope;
  static constexpr std::array kRoutes{
      Route{"GET", "/.well-known/attestation-jwks.json", kAny, false, show_attestation_key_set},
      Route{"GET", "/.well-known/jwks.json", kAny, false, show_key_set},
      Route{"GET", "/.well-known/oauth-authorization-server", kAny, false, show_metadata},
      Route{"GET", "/.well-known/oauth-protected-resource", kAny, false, show_protected_resource},
      Route{"GET", "/.well-known/status-jwks.json", kAny, false, show_status_key_set},
      Route{"GET", "/healthz", kAny, false, show_health},
      Route{"GET", "/metrics", kLocal, true, show_metrics},
      Route{"GET", "/openapi.json", kAny, false, show_openapi},
      Route{"GET", "/readyz", kAny, true, show_readiness},
      Route{"GET", "/v1/agents", kPrivileged, true, list_agents, scope::kAgentsRead},
      Route{"POST", "/v1/agents", kPrivileged, true, create_agent, scope::kAgentsCreate},
      Route{"DELETE", "/v1/agents/{name}", kPrivileged, true, retire_agent, scope::kAgentsRetire},
      Route{"GET", "/v1/agents/{name}", kPrivileged, true, show_agent, scope::kAgentsRead},
      Route{"GET", "/v1/agents/{name}/keys", kPrivileged, true, list_agent_keys, scope::kKeysRead},
      Route{"POST", "/v1/agents/{name}/reenroll", kPrivileged, true, reenroll_agent, scope::kAgentsReenroll},
      Route{"POST", "/v1/agents/{name}/rotate", kPrivileged, true, rotate_agent, scope::kAgentsRotate},
      Route{"POST", "/v1/attestation/challenge", kPrivileged, true, ask_challenge,
            scope::kAttestationEvidence},
      Route{"POST", "/v1/attestation/evidence", kPrivileged, true, take_evidence,
            scope::kAttestationEvidence},
      Route{"GET", "/v1/attestation/hosts", kPrivileged, true, list_hosts, scope::kAttestationRead},
      Route{"POST", "/v1/attestation/hosts", kPrivileged, true, enroll_host, scope::kAttestationEnroll},
      Route{"DELETE", "/v1/attestation/hosts/{name}", kPrivileged, true, remove_host,
            scope::kAttestationManage},
      Route{"GET", "/v1/attestation/hosts/{name}", kPrivileged, true, show_host, scope::kAttestationRead},
      Route{"POST", "/v1/attestation/hosts/{name}/approve", kPrivileged, true, approve_host,
            scope::kAttestationManage},
      Route{"GET", "/v1/attestation/keys", kPrivileged, true, list_attestation_keys, scope::kIssuerRead},
      Route{"POST", "/v1/attestation/keys/rotate", kPrivileged, true, rotate_attestation_key,
            scope::kIssuerRotate},
      Route{"GET", "/v1/attestation/results/{name}", kAny, true, show_attestation_results},
      Route{"POST", "/v1/authorize", kPrivileged, true, authorize_action, scope::kAuthorize},
      Route{"GET", "/v1/backends", kPrivileged, true, list_backends, scope::kBackendsRead},
      Route{"GET", "/v1/backends/{name}", kPrivileged, true, show_backend, scope::kBackendsRead},
      Route{"POST", "/v1/backends/{name}/activate", kPrivileged, true, activate_credential,
            scope::kAttestationAttest},
      Route{"POST", "/v1/backends/{name}/adopt", kPrivileged, true, adopt_backend, scope::kBackendsAdopt},
      Route{"GET", "/v1/backends/{name}/identity", kPrivileged, true, show_identity,
            scope::kAttestationAttest},
      Route{"POST", "/v1/backends/{name}/measurements", kPrivileged, true, show_measurements,
            scope::kAttestationAttest},
      Route{"GET", "/v1/budget", kPrivileged, true, show_budget, scope::kProcessRead},
      Route{"POST", "/v1/budget/accept", kPrivileged, true, accept_budget, scope::kBudgetsAccept},
      Route{"POST", "/v1/chains/explain", kAny, false, explain_chain},
      Route{"POST", "/v1/chains/verify", kAny, false, verify_chain},
      Route{"POST", "/v1/decisions/{name}/release", kPrivileged, true, release_decision, scope::kAuthorize},
      Route{"POST", "/v1/decisions/{name}/settle", kPrivileged, true, settle_decision, scope::kAuthorize},
      Route{"POST", "/v1/delegations", kPrivileged, true, create_delegation, scope::kDelegationsCreate},
      Route{"POST", "/v1/drills", kPrivileged, true, start_drill, scope::kRevocationsDrill},
      Route{"GET", "/v1/drills/{name}", kPrivileged, true, show_drill, scope::kRevocationsDrill},
      Route{"POST", "/v1/grants", kPrivileged, true, create_grant, scope::kGrantsMint},
      Route{"POST", "/v1/impact", kPrivileged, true, show_impact, scope::kRevocationsImpact},
      Route{"POST", "/v1/introspect", kTls, true, introspect_token, scope::kIntrospect},
      Route{"GET", "/v1/issuer/keys", kPrivileged, true, list_issuer_keys, scope::kIssuerRead},
      Route{"POST", "/v1/issuer/rotate", kPrivileged, true, rotate_issuer, scope::kIssuerRotate},
      Route{"POST", "/v1/join", kTls, true, join},
      Route{"POST", "/v1/join-tokens", kPrivileged, true, create_join_token, scope::kJoinTokensCreate},
      Route{"POST", "/v1/keys/{name}/certify", kPrivileged, true, certify_key, scope::kAttestationAttest},
      Route{"POST", "/v1/keys/{name}/revoke", kPrivileged, true, revoke_key, scope::kKeysRevoke},
      Route{"POST", "/v1/operators", kUnixSocket, true, create_operator},
      Route{"GET", "/v1/process", kPrivileged, true, show_process, scope::kProcessRead},
      Route{"POST", "/v1/proofs", kPrivileged, true, create_proof, scope::kProofsCreate},
      Route{"POST", "/v1/revocations", kPrivileged, true, revoke, scope::kRevocationsCreate},
      Route{"POST", "/v1/revoke", kTls, true, revoke_token},
      Route{"POST", "/v1/sessions", kPrivileged, true, create_session, scope::kSessionsCreate},
      Route{"GET", "/v1/status-keys", kPrivileged, true, list_status_keys, scope::kIssuerRead},
      Route{"POST", "/v1/status-keys/rotate", kPrivileged, true, rotate_status_key, scope::kIssuerRotate},
      Route{"GET", "/v1/status-lists/{name}", kAny, true, show_status_list},
      Route{"POST", "/v1/suspensions", kPrivileged, true, suspend, scope::kRevocationsSuspend},
      Route{"POST", "/v1/suspensions/{name}/lift", kPrivileged, true, lift_suspension,
            scope::kRevocationsLift},
      Route{"POST", "/v1/token", kTls, true, issue_token},
  };
  static_assert(std::ranges::is_sorted(
      kRoutes, {}, [](const Route& route) { return std::pair(route.pattern, route.method); }));
  static_assert(kRoutes.size() <= telemetry::RequestCounts::kMaxRoutes);
  return kRoutes;
}

}  // namespace chancery::rest
