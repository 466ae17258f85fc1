#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>

#include <chancery/verify.hpp>

#include "daemon/service/office.hpp"

namespace chancery::service {

// What may be done to this daemon, as scopes under `chancery.`. On the Unix socket the operator may do all of
// it. Over TLS a caller may do what its chain says, within the chain's constraints on the parameters that
// docs/protocol/control-plane.md names for each.

namespace scope {
inline constexpr std::string_view kAgentsCreate = "chancery.agents.create";
inline constexpr std::string_view kAgentsFreeze = "chancery.agents.freeze";
inline constexpr std::string_view kAgentsUnfreeze = "chancery.agents.unfreeze";
inline constexpr std::string_view kAgentsRead = "chancery.agents.read";
inline constexpr std::string_view kAgentsRetire = "chancery.agents.retire";
inline constexpr std::string_view kAgentsRotate = "chancery.agents.rotate";
inline constexpr std::string_view kAgentsReenroll = "chancery.agents.reenroll";
inline constexpr std::string_view kAnomaliesRead = "chancery.anomalies.read";
inline constexpr std::string_view kApprovalsCancel = "chancery.approvals.cancel";
inline constexpr std::string_view kApprovalsRead = "chancery.approvals.read";
inline constexpr std::string_view kApproversRead = "chancery.approvers.read";
inline constexpr std::string_view kApproversRevoke = "chancery.approvers.revoke";
inline constexpr std::string_view kBackendsRead = "chancery.backends.read";
inline constexpr std::string_view kAttestationAttest = "chancery.attestation.attest";
inline constexpr std::string_view kAttestationEnroll = "chancery.attestation.enroll";
inline constexpr std::string_view kAttestationEvidence = "chancery.attestation.evidence";
inline constexpr std::string_view kAttestationManage = "chancery.attestation.manage";
inline constexpr std::string_view kAttestationRead = "chancery.attestation.read";
inline constexpr std::string_view kAuditCheckpoint = "chancery.audit.checkpoint";
inline constexpr std::string_view kAuditRead = "chancery.audit.read";
inline constexpr std::string_view kAuditSalts = "chancery.audit.salts";
inline constexpr std::string_view kBackupsCreate = "chancery.backups.create";
inline constexpr std::string_view kAuthorize = "chancery.authorize";
inline constexpr std::string_view kBackendsAdopt = "chancery.backends.adopt";
inline constexpr std::string_view kBudgetsAccept = "chancery.budgets.accept";
inline constexpr std::string_view kCredentialsPut = "chancery.credentials.put";
inline constexpr std::string_view kCredentialsRead = "chancery.credentials.read";
inline constexpr std::string_view kCredentialsRevoke = "chancery.credentials.revoke";
inline constexpr std::string_view kDelegationsCreate = "chancery.delegations.create";
inline constexpr std::string_view kFreezeAll = "chancery.freeze.all";
inline constexpr std::string_view kFreezeArm = "chancery.freeze.arm";
inline constexpr std::string_view kFreezeLift = "chancery.freeze.lift";
inline constexpr std::string_view kFreezeRead = "chancery.freeze.read";
inline constexpr std::string_view kGatesRead = "chancery.gates.read";
inline constexpr std::string_view kGrantsMint = "chancery.grants.mint";
inline constexpr std::string_view kIncidentsOpen = "chancery.incidents.open";
inline constexpr std::string_view kIntrospect = "chancery.introspect";
inline constexpr std::string_view kIssuerRead = "chancery.issuer.read";
inline constexpr std::string_view kIssuerRotate = "chancery.issuer.rotate";
inline constexpr std::string_view kJoinTokensCreate = "chancery.join_tokens.create";
inline constexpr std::string_view kKeysRead = "chancery.keys.read";
inline constexpr std::string_view kKeysRevoke = "chancery.keys.revoke";
inline constexpr std::string_view kPermitsCreate = "chancery.permits.create";
inline constexpr std::string_view kProcessRead = "chancery.process.read";
inline constexpr std::string_view kProofsCreate = "chancery.proofs.create";
inline constexpr std::string_view kRevocationsCreate = "chancery.revocations.create";
inline constexpr std::string_view kRevocationsDrill = "chancery.revocations.drill";
inline constexpr std::string_view kRevocationsImpact = "chancery.revocations.impact";
inline constexpr std::string_view kRevocationsLift = "chancery.revocations.lift";
inline constexpr std::string_view kRevocationsSuspend = "chancery.revocations.suspend";
inline constexpr std::string_view kSessionsCreate = "chancery.sessions.create";
inline constexpr std::string_view kTokensRead = "chancery.tokens.read";
}  // namespace scope

/// Whether what takes that scope only reads: such scopes are named so, and that of an act's impact.
[[nodiscard]] bool only_reads(std::string_view scope) noexcept;

/// Whether somebody in the console may ask for what takes `scope`: the operator for whatever only reads, an approver
/// for what is about deciding. What changes something takes a confirmation besides (ConsoleVisitor::is_confirmed).
[[nodiscard]] bool may_read(const ConsoleVisitor& visitor, std::string_view scope) noexcept;

/// Everything under it governs this daemon.
inline constexpr std::string_view kControlPlane = "chancery.";

/// Whether every token of a chain names this daemon as audience. kForbidden (`hop` of the one that does not).
[[nodiscard]] Status require_audience(const Policy& policy, const VerifiedChain& chain);

/// Whether a chain is meant for this daemon and grants `scope`, whatever its parameters: before anything is
/// read of a request. kForbidden (`hop` of the chain's token that denies).
[[nodiscard]] Status require_scope(const Policy& policy, const VerifiedChain& chain, std::string_view scope);

/// A parameter of an action on this daemon.
using Parameter = std::pair<std::string_view, std::string_view>;

/// Whether the caller may do `scope` with these parameters: the operator's process, somebody in the console as
/// may_read() says, or a chain that grants it.
/// A chain that mints grants must bound `sub` and `agent` by `one_of` or `prefix`; one that has actions
/// authorized, `audience` by `one_of`.
/// \return kForbidden (`hop` of the chain's token that denies)
[[nodiscard]] Status require_authority(const Office& office, const CallContext& context,
                                       std::string_view scope,
                                       std::initializer_list<Parameter> parameters = {});

/// Whether the caller is that agent, or may use its key: the process matches its selectors, or the chain grants
/// `scope` with `agent`.
/// \return kNotHolder, kForbidden
[[nodiscard]] Status require_agent(const Office& office, const CallContext& context, std::string_view scope,
                                   const store::Agent& agent);

}  // namespace chancery::service
