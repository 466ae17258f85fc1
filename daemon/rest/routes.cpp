#include "daemon/rest/routes.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/service/authority.hpp"

namespace chancery::rest {

service::RouteClass class_of(const Route& route) noexcept {
  using enum service::RouteClass;
  constexpr std::array kIssuing{create_grant, create_delegation, create_proof, create_session,
                                join,         issue_token};
  constexpr std::array kJudging{verify_chain, explain_chain, introspect_token};
  constexpr std::array kDeciding{authorize_action, settle_decision, release_decision,
                                 ask_permit,       use_permit,      report_result};
  const auto is_of = [&](const auto& handlers) {
    return std::ranges::find(handlers, route.handle) != handlers.end();
  };
  if (route.method == "GET") return kRead;
  if (is_of(kJudging)) return kJudge;
  if (is_of(kDeciding)) return kDecide;
  return is_of(kIssuing) ? kIssue : kAdminister;
}

std::span<const Route> routes() noexcept {
  using enum Listener;
  namespace scope = service::scope;
  static constexpr std::array kRoutes{
      Route{"GET", "/.well-known/attestation-jwks.json", kAny, false, show_attestation_key_set},
      Route{"GET", "/.well-known/jwks.json", kAny, false, show_key_set},
      Route{"GET", "/.well-known/oauth-authorization-server", kAny, false, show_metadata},
      Route{"GET", "/.well-known/oauth-protected-resource", kAny, false, show_protected_resource},
      Route{"GET", "/.well-known/status-jwks.json", kAny, false, show_status_key_set},
      Route{"GET", "/.well-known/webhook-jwks.json", kAny, false, show_webhook_key_set},
      Route{"GET", "/healthz", kAny, false, show_health},
      Route{"GET", "/metrics", kLocal, true, show_metrics},
      Route{"GET", "/openapi.json", kAny, false, show_openapi},
      Route{"GET", "/readyz", kAny, true, show_readiness},
      Route{"GET", "/v1/agents", kPrivileged, true, list_agents, scope::kAgentsRead},
      Route{"POST", "/v1/agents", kPrivileged, true, create_agent, scope::kAgentsCreate, "agent.create"},
      Route{"DELETE", "/v1/agents/{name}", kPrivileged, true, retire_agent, scope::kAgentsRetire,
            "agent.retire"},
      Route{"GET", "/v1/agents/{name}", kPrivileged, true, show_agent, scope::kAgentsRead},
      Route{"GET", "/v1/agents/{name}/keys", kPrivileged, true, list_agent_keys, scope::kKeysRead},
      Route{"POST", "/v1/agents/{name}/reenroll", kPrivileged, true, reenroll_agent, scope::kAgentsReenroll,
            "key.reenroll"},
      Route{"POST", "/v1/agents/{name}/rotate", kPrivileged, true, rotate_agent, scope::kAgentsRotate,
            "key.rotate"},
      Route{"GET", "/v1/anomalies", kPrivileged, true, list_anomalies, scope::kAnomaliesRead},
      Route{"GET", "/v1/approvals", kPrivileged, true, list_approvals, scope::kApprovalsRead},
      Route{"DELETE", "/v1/approvals/{name}", kPrivileged, true, cancel_approval, scope::kApprovalsCancel,
            "approval.cancel"},
      Route{"GET", "/v1/approvals/{name}", kPrivileged, true, show_approval, scope::kApprovalsRead},
      Route{"POST", "/v1/approvals/{name}/decision", kAny, true, decide_approval, {}, "approval.decide"},
      Route{"POST", "/v1/approver-keys/{name}/revoke", kPrivileged, true, revoke_approver_key,
            scope::kApproversRevoke, "approver.revoke"},
      Route{"GET", "/v1/approvers", kPrivileged, true, list_approvers, scope::kApproversRead},
      Route{"POST", "/v1/approvers", kAny, true, enroll_approver, {}, "approver.enroll"},
      Route{"GET", "/v1/approvers/{name}", kPrivileged, true, show_approver, scope::kApproversRead},
      Route{"POST", "/v1/attestation/challenge", kPrivileged, true, ask_challenge,
            scope::kAttestationEvidence, "attestation.challenge"},
      Route{"POST", "/v1/attestation/evidence", kPrivileged, true, take_evidence, scope::kAttestationEvidence,
            "attestation.evidence"},
      Route{"GET", "/v1/attestation/hosts", kPrivileged, true, list_hosts, scope::kAttestationRead},
      Route{"POST", "/v1/attestation/hosts", kPrivileged, true, enroll_host, scope::kAttestationEnroll,
            "host.enroll"},
      Route{"DELETE", "/v1/attestation/hosts/{name}", kPrivileged, true, remove_host,
            scope::kAttestationManage, "host.remove"},
      Route{"GET", "/v1/attestation/hosts/{name}", kPrivileged, true, show_host, scope::kAttestationRead},
      Route{"POST", "/v1/attestation/hosts/{name}/approve", kPrivileged, true, approve_host,
            scope::kAttestationManage, "host.approve"},
      Route{"GET", "/v1/attestation/keys", kPrivileged, true, list_attestation_keys, scope::kIssuerRead},
      Route{"POST", "/v1/attestation/keys/rotate", kPrivileged, true, rotate_attestation_key,
            scope::kIssuerRotate, "attestation_key.rotate"},
      Route{"GET", "/v1/attestation/results/{name}", kAny, true, show_attestation_results},
      Route{"GET", "/v1/audit/checkpoint", kAny, true, show_audit_checkpoint},
      Route{"GET", "/v1/audit/checkpoints", kPrivileged, true, list_audit_checkpoints, scope::kAuditRead},
      Route{"POST", "/v1/audit/checkpoints", kPrivileged, true, make_audit_checkpoint,
            scope::kAuditCheckpoint, "audit.checkpoint"},
      Route{"GET", "/v1/audit/consistency", kPrivileged, true, prove_consistency, scope::kAuditRead},
      Route{"GET", "/v1/audit/entries", kPrivileged, true, list_audit_entries, scope::kAuditRead},
      Route{"GET", "/v1/audit/entries/{name}", kPrivileged, true, show_audit_entry, scope::kAuditRead},
      Route{"GET", "/v1/audit/inclusion", kPrivileged, true, prove_inclusion, scope::kAuditRead},
      Route{"GET", "/v1/audit/keys", kAny, true, show_audit_keys},
      Route{"POST", "/v1/audit/keys/rotate", kPrivileged, true, rotate_audit_key, scope::kIssuerRotate,
            "audit_key.rotate"},
      Route{"POST", "/v1/authorize", kPrivileged, true, authorize_action, scope::kAuthorize,
            "action.authorize"},
      Route{"GET", "/v1/backends", kPrivileged, true, list_backends, scope::kBackendsRead},
      Route{"GET", "/v1/backends/{name}", kPrivileged, true, show_backend, scope::kBackendsRead},
      Route{"POST", "/v1/backends/{name}/activate", kPrivileged, true, activate_credential,
            scope::kAttestationAttest, "host.activate"},
      Route{"POST", "/v1/backends/{name}/adopt", kPrivileged, true, adopt_backend, scope::kBackendsAdopt,
            "backend.adopt"},
      Route{"GET", "/v1/backends/{name}/identity", kPrivileged, true, show_identity,
            scope::kAttestationAttest},
      Route{"POST", "/v1/backends/{name}/measurements", kPrivileged, true, show_measurements,
            scope::kAttestationAttest, "measurements.certify"},
      Route{"POST", "/v1/backups", kPrivileged, true, create_backup, scope::kBackupsCreate, "backup.create"},
      Route{"GET", "/v1/budget", kPrivileged, true, show_budget, scope::kProcessRead},
      Route{"POST", "/v1/budget/accept", kPrivileged, true, accept_budget, scope::kBudgetsAccept,
            "budget.accept"},
      Route{"POST", "/v1/chains/explain", kAny, false, explain_chain},
      Route{"POST", "/v1/chains/verify", kAny, false, verify_chain},
      Route{"GET", "/v1/credentials", kPrivileged, true, list_credentials, scope::kCredentialsRead},
      Route{"POST", "/v1/credentials", kPrivileged, true, put_credential, scope::kCredentialsPut,
            "credential.put", true},
      Route{"DELETE", "/v1/credentials/{name}", kPrivileged, true, revoke_credential,
            scope::kCredentialsRevoke, "credential.revoke"},
      Route{"GET", "/v1/credentials/{name}", kPrivileged, true, show_credential, scope::kCredentialsRead},
      Route{"POST", "/v1/credentials/{name}/activate", kPrivileged, true, activate_credential_version,
            scope::kCredentialsPut, "credential.activate"},
      Route{"POST", "/v1/credentials/{name}/change", kPrivileged, true, change_credential,
            scope::kCredentialsPut, "credential.change"},
      Route{"POST", "/v1/credentials/{name}/revoke", kPrivileged, true, revoke_credential_version,
            scope::kCredentialsRevoke, "credential.revoke"},
      Route{"POST", "/v1/credentials/{name}/rotate", kPrivileged, true, rotate_credential,
            scope::kCredentialsPut, "credential.rotate", true},
      Route{"POST", "/v1/decisions/{name}/release", kPrivileged, true, release_decision, scope::kAuthorize,
            "reservation.release"},
      Route{"POST", "/v1/decisions/{name}/settle", kPrivileged, true, settle_decision, scope::kAuthorize,
            "reservation.settle"},
      Route{"POST", "/v1/delegations", kPrivileged, true, create_delegation, scope::kDelegationsCreate,
            "token.delegate"},
      Route{"POST", "/v1/drills", kPrivileged, true, start_drill, scope::kRevocationsDrill, "drill.start"},
      Route{"GET", "/v1/drills/{name}", kPrivileged, true, show_drill, scope::kRevocationsDrill},
      Route{"POST", "/v1/grants", kPrivileged, true, create_grant, scope::kGrantsMint, "token.grant"},
      Route{"POST", "/v1/impact", kPrivileged, true, show_impact, scope::kRevocationsImpact},
      Route{"POST", "/v1/introspect", kTls, true, introspect_token, scope::kIntrospect},
      Route{"GET", "/v1/issuer/keys", kPrivileged, true, list_issuer_keys, scope::kIssuerRead},
      Route{"POST", "/v1/issuer/rotate", kPrivileged, true, rotate_issuer, scope::kIssuerRotate,
            "issuer_key.rotate"},
      Route{"GET", "/v1/issuers", kPrivileged, true, list_issuers, scope::kCredentialsRead},
      Route{"POST", "/v1/issuers/{name}/consent", kPrivileged, true, begin_consent, scope::kCredentialsPut,
            "issuer.consent_begin"},
      Route{"POST", "/v1/issuers/{name}/consented", kPrivileged, true, finish_consent, scope::kCredentialsPut,
            "issuer.consent", true},
      Route{"POST", "/v1/join", kTls, true, join, {}, "token.join"},
      Route{"POST", "/v1/join-tokens", kPrivileged, true, create_join_token, scope::kJoinTokensCreate,
            "join_token.create"},
      Route{"POST", "/v1/keys/{name}/certify", kPrivileged, true, certify_key, scope::kAttestationAttest,
            "key.certify"},
      Route{"POST", "/v1/keys/{name}/revoke", kPrivileged, true, revoke_key, scope::kKeysRevoke,
            "key.revoke"},
      Route{"POST", "/v1/operators", kUnixSocket, true, create_operator, {}, "operator.create"},
      Route{"GET", "/v1/overview", kPrivileged, true, show_overview, scope::kProcessRead},
      Route{"POST", "/v1/permits", kPrivileged, true, ask_permit, scope::kPermitsCreate, "tool.permit", true},
      Route{"POST", "/v1/permits/{name}/credential", kPrivileged, true, use_permit, scope::kPermitsCreate,
            "credential.release", true},
      Route{"POST", "/v1/permits/{name}/result", kPrivileged, true, report_result, scope::kPermitsCreate,
            "tool.result"},
      Route{"GET", "/v1/process", kPrivileged, true, show_process, scope::kProcessRead},
      Route{"POST", "/v1/proofs", kPrivileged, true, create_proof, scope::kProofsCreate, "proof.create"},
      Route{"POST", "/v1/receipts", kPrivileged, true, sign_receipts, scope::kPermitsCreate, "receipt.sign"},
      Route{"POST", "/v1/revocations", kPrivileged, true, revoke, scope::kRevocationsCreate, "token.revoke"},
      Route{"POST", "/v1/revoke", kTls, true, revoke_token, {}, "token.revoke"},
      Route{"POST", "/v1/sessions", kPrivileged, true, create_session, scope::kSessionsCreate,
            "token.session"},
      Route{"GET", "/v1/status-keys", kPrivileged, true, list_status_keys, scope::kIssuerRead},
      Route{"POST", "/v1/status-keys/rotate", kPrivileged, true, rotate_status_key, scope::kIssuerRotate,
            "status_key.rotate"},
      Route{"GET", "/v1/status-lists/{name}", kAny, true, show_status_list},
      Route{"POST", "/v1/suspensions", kPrivileged, true, suspend, scope::kRevocationsSuspend,
            "token.suspend"},
      Route{"POST", "/v1/suspensions/{name}/lift", kPrivileged, true, lift_suspension,
            scope::kRevocationsLift, "token.lift"},
      Route{"POST", "/v1/token", kTls, true, issue_token, {}, "token.issue"},
      Route{"POST", "/v1/tool-refusals", kPrivileged, true, report_refusal, scope::kPermitsCreate,
            "tool.refuse"},
      Route{"POST", "/v1/vault/reset", kPrivileged, true, reset_vault, scope::kCredentialsRevoke,
            "vault.reset"},
      Route{"GET", "/v1/webhook/keys", kPrivileged, true, list_webhook_keys, scope::kIssuerRead},
      Route{"POST", "/v1/webhook/keys/rotate", kPrivileged, true, rotate_webhook_key, scope::kIssuerRotate,
            "webhook_key.rotate"},
  };
  static_assert(std::ranges::is_sorted(
      kRoutes, {}, [](const Route& route) { return std::pair(route.pattern, route.method); }));
  static_assert(kRoutes.size() <= telemetry::RequestCounts::kMaxRoutes);
  return kRoutes;
}

}  // namespace chancery::rest
