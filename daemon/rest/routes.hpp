#pragma once

#include <span>
#include <string>
#include <string_view>

#include "daemon/rest/http.hpp"
#include "daemon/service/office.hpp"

namespace chancery::rest {

/// Where a route exists.
enum class Listener : std::uint8_t {
  kAny,  ///< on the Unix socket, TLS and plain loopback alike. With a scope: a chain that is shown on TLS counts, and so does the body
  kLocal,       ///< on the Unix socket and plain loopback: nothing that the network need know
  kPrivileged,  ///< on the Unix socket, where the kernel tells who calls, and on TLS with a chain of authority
  kUnixSocket,  ///< on the Unix socket alone
  kTls,         ///< on TLS alone, where the request itself shows what its sender may
  kConsole,     ///< on TLS alone, for the console's page
};

/// One line of the interface. docs/protocol/openapi.yaml describes the same, and a test compares the two.
struct Route {
  std::string_view method;
  std::string_view pattern;  ///< a path; `{name}` stands for one non-empty segment
  Listener listener;
  bool may_block;  ///< asks a device or the disk
  /// \param argument  the segment that `{name}` stands for; empty without one
  Response (*handle)(service::Office& office, const Request& request, std::string_view argument);
  std::string_view scope{};  ///< what a chain must grant; of kTls and kAny the handler asks for it
  /// What a request that is refused stands in the audit log as; empty: what only reads is not recorded.
  std::string_view action{};
  bool carries_secret = false;  ///< in its body or its answer's, which are cleansed once it is answered
};

/// Among whose requests' durations a route's count.
[[nodiscard]] service::RouteClass class_of(const Route& route) noexcept;

/// Every route, ordered by pattern, and of one pattern by method.
[[nodiscard]] std::span<const Route> routes() noexcept;

// The handlers, one a file or a small family.
Response verify_chain(service::Office& office, const Request& request, std::string_view argument);
Response explain_chain(service::Office& office, const Request& request, std::string_view argument);
Response create_agent(service::Office& office, const Request& request, std::string_view argument);
Response list_agents(service::Office& office, const Request& request, std::string_view argument);
Response show_agent(service::Office& office, const Request& request, std::string_view argument);
Response freeze_agent(service::Office& office, const Request& request, std::string_view argument);
Response unfreeze_agent(service::Office& office, const Request& request, std::string_view argument);
Response show_freeze(service::Office& office, const Request& request, std::string_view argument);
Response freeze_all(service::Office& office, const Request& request, std::string_view argument);
Response lift_freeze(service::Office& office, const Request& request, std::string_view argument);
Response open_incident(service::Office& office, const Request& request, std::string_view argument);
Response arm_switches(service::Office& office, const Request& request, std::string_view argument);
Response retire_agent(service::Office& office, const Request& request, std::string_view argument);
Response list_agent_keys(service::Office& office, const Request& request, std::string_view argument);
Response rotate_agent(service::Office& office, const Request& request, std::string_view argument);
Response reenroll_agent(service::Office& office, const Request& request, std::string_view argument);
Response list_issuer_keys(service::Office& office, const Request& request, std::string_view argument);
Response rotate_issuer(service::Office& office, const Request& request, std::string_view argument);
Response revoke_key(service::Office& office, const Request& request, std::string_view argument);
Response list_status_keys(service::Office& office, const Request& request, std::string_view argument);
Response rotate_status_key(service::Office& office, const Request& request, std::string_view argument);
Response revoke(service::Office& office, const Request& request, std::string_view argument);
Response suspend(service::Office& office, const Request& request, std::string_view argument);
Response lift_suspension(service::Office& office, const Request& request, std::string_view argument);
Response show_impact(service::Office& office, const Request& request, std::string_view argument);
Response start_drill(service::Office& office, const Request& request, std::string_view argument);
Response show_drill(service::Office& office, const Request& request, std::string_view argument);
Response show_status_list(service::Office& office, const Request& request, std::string_view argument);
Response show_status_key_set(service::Office& office, const Request& request, std::string_view argument);
Response adopt_backend(service::Office& office, const Request& request, std::string_view argument);
Response list_backends(service::Office& office, const Request& request, std::string_view argument);
Response show_backend(service::Office& office, const Request& request, std::string_view argument);
Response show_process(service::Office& office, const Request& request, std::string_view argument);
Response show_overview(service::Office& office, const Request& request, std::string_view argument);
Response list_anomalies(service::Office& office, const Request& request, std::string_view argument);
Response show_metrics(service::Office& office, const Request& request, std::string_view argument);
Response create_grant(service::Office& office, const Request& request, std::string_view argument);
Response create_operator(service::Office& office, const Request& request, std::string_view argument);
Response create_join_token(service::Office& office, const Request& request, std::string_view argument);
Response join(service::Office& office, const Request& request, std::string_view argument);
Response create_session(service::Office& office, const Request& request, std::string_view argument);
Response create_delegation(service::Office& office, const Request& request, std::string_view argument);
Response create_proof(service::Office& office, const Request& request, std::string_view argument);
Response authorize_action(service::Office& office, const Request& request, std::string_view argument);
Response settle_decision(service::Office& office, const Request& request, std::string_view argument);
Response release_decision(service::Office& office, const Request& request, std::string_view argument);
Response show_budget(service::Office& office, const Request& request, std::string_view argument);
Response accept_budget(service::Office& office, const Request& request, std::string_view argument);
Response create_backup(service::Office& office, const Request& request, std::string_view argument);
Response list_approvals(service::Office& office, const Request& request, std::string_view argument);
Response show_approval(service::Office& office, const Request& request, std::string_view argument);
Response cancel_approval(service::Office& office, const Request& request, std::string_view argument);
Response decide_approval(service::Office& office, const Request& request, std::string_view argument);
Response list_approvers(service::Office& office, const Request& request, std::string_view argument);
Response show_approver(service::Office& office, const Request& request, std::string_view argument);
Response enroll_approver(service::Office& office, const Request& request, std::string_view argument);
Response list_gates(service::Office& office, const Request& request, std::string_view argument);
Response revoke_approver_key(service::Office& office, const Request& request, std::string_view argument);
Response ask_permit(service::Office& office, const Request& request, std::string_view argument);
Response use_permit(service::Office& office, const Request& request, std::string_view argument);
Response report_result(service::Office& office, const Request& request, std::string_view argument);
Response report_refusal(service::Office& office, const Request& request, std::string_view argument);
Response sign_receipts(service::Office& office, const Request& request, std::string_view argument);
Response put_credential(service::Office& office, const Request& request, std::string_view argument);
Response list_credentials(service::Office& office, const Request& request, std::string_view argument);
Response show_credential(service::Office& office, const Request& request, std::string_view argument);
Response revoke_credential(service::Office& office, const Request& request, std::string_view argument);
Response revoke_credential_version(service::Office& office, const Request& request,
                                   std::string_view argument);
Response activate_credential_version(service::Office& office, const Request& request,
                                     std::string_view argument);
Response change_credential(service::Office& office, const Request& request, std::string_view argument);
Response rotate_credential(service::Office& office, const Request& request, std::string_view argument);
Response list_issuers(service::Office& office, const Request& request, std::string_view argument);
Response begin_consent(service::Office& office, const Request& request, std::string_view argument);
Response finish_consent(service::Office& office, const Request& request, std::string_view argument);
Response reset_vault(service::Office& office, const Request& request, std::string_view argument);
Response show_identity(service::Office& office, const Request& request, std::string_view argument);
Response activate_credential(service::Office& office, const Request& request, std::string_view argument);
Response certify_key(service::Office& office, const Request& request, std::string_view argument);
Response show_measurements(service::Office& office, const Request& request, std::string_view argument);
Response enroll_host(service::Office& office, const Request& request, std::string_view argument);
Response ask_challenge(service::Office& office, const Request& request, std::string_view argument);
Response take_evidence(service::Office& office, const Request& request, std::string_view argument);
Response list_hosts(service::Office& office, const Request& request, std::string_view argument);
Response show_host(service::Office& office, const Request& request, std::string_view argument);
Response approve_host(service::Office& office, const Request& request, std::string_view argument);
Response remove_host(service::Office& office, const Request& request, std::string_view argument);
Response show_attestation_results(service::Office& office, const Request& request, std::string_view argument);
Response list_attestation_keys(service::Office& office, const Request& request, std::string_view argument);
Response rotate_attestation_key(service::Office& office, const Request& request, std::string_view argument);
Response show_attestation_key_set(service::Office& office, const Request& request, std::string_view argument);
Response list_webhook_keys(service::Office& office, const Request& request, std::string_view argument);
Response rotate_webhook_key(service::Office& office, const Request& request, std::string_view argument);
Response show_webhook_key_set(service::Office& office, const Request& request, std::string_view argument);
Response list_audit_entries(service::Office& office, const Request& request, std::string_view argument);
Response show_audit_entry(service::Office& office, const Request& request, std::string_view argument);
Response prove_inclusion(service::Office& office, const Request& request, std::string_view argument);
Response prove_consistency(service::Office& office, const Request& request, std::string_view argument);
Response list_audit_checkpoints(service::Office& office, const Request& request, std::string_view argument);
Response make_audit_checkpoint(service::Office& office, const Request& request, std::string_view argument);
Response show_audit_checkpoint(service::Office& office, const Request& request, std::string_view argument);
Response show_audit_keys(service::Office& office, const Request& request, std::string_view argument);
Response rotate_audit_key(service::Office& office, const Request& request, std::string_view argument);
Response show_key_set(service::Office& office, const Request& request, std::string_view argument);
Response show_metadata(service::Office& office, const Request& request, std::string_view argument);
Response show_protected_resource(service::Office& office, const Request& request, std::string_view argument);
Response issue_token(service::Office& office, const Request& request, std::string_view argument);
Response introspect_token(service::Office& office, const Request& request, std::string_view argument);
Response revoke_token(service::Office& office, const Request& request, std::string_view argument);
Response show_health(service::Office& office, const Request& request, std::string_view argument);
Response show_readiness(service::Office& office, const Request& request, std::string_view argument);
Response show_console_page(service::Office& office, const Request& request, std::string_view argument);
Response show_console_asset(service::Office& office, const Request& request, std::string_view argument);
Response show_console_file(service::Office& office, const Request& request, std::string_view argument);
Response create_console_link(service::Office& office, const Request& request, std::string_view argument);
Response open_console(service::Office& office, const Request& request, std::string_view argument);
Response show_console_session(service::Office& office, const Request& request, std::string_view argument);
Response close_console(service::Office& office, const Request& request, std::string_view argument);
Response ask_console_sign_in(service::Office& office, const Request& request, std::string_view argument);
Response sign_in_to_console(service::Office& office, const Request& request, std::string_view argument);
Response ask_console_confirmation(service::Office& office, const Request& request, std::string_view argument);
Response prepare_console_decision(service::Office& office, const Request& request, std::string_view argument);
Response prepare_console_authorization(service::Office& office, const Request& request,
                                       std::string_view argument);
Response ask_console_passkey(service::Office& office, const Request& request, std::string_view argument);
Response check_console_passkey(service::Office& office, const Request& request, std::string_view argument);
Response list_console_agents(service::Office& office, const Request& request, std::string_view argument);
Response show_console_agent(service::Office& office, const Request& request, std::string_view argument);
Response show_console_approval(service::Office& office, const Request& request, std::string_view argument);
Response show_console_chain(service::Office& office, const Request& request, std::string_view argument);
Response search_audit(service::Office& office, const Request& request, std::string_view argument);
Response show_openapi(service::Office& office, const Request& request, std::string_view argument);

}  // namespace chancery::rest
