#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/api.hpp>
#include <chancery/api_attestation.hpp>
#include <chancery/api_audit.hpp>
#include <chancery/api_backup.hpp>
#include <chancery/api_overview.hpp>
#include <chancery/passkeys.hpp>
#include <chancery/result.hpp>
#include <chancery/verify.hpp>

#include "daemon/service/approval_waits.hpp"
#include "daemon/service/attestation_desk.hpp"
#include "daemon/service/audit_desk.hpp"
#include "daemon/service/backend_set.hpp"
#include "daemon/service/caller.hpp"
#include "daemon/service/daemon_keys.hpp"
#include "daemon/service/gated_issuers.hpp"
#include "daemon/service/gates.hpp"
#include "daemon/service/issuer_desk.hpp"
#include "daemon/service/key_life.hpp"
#include "daemon/service/nonces.hpp"
#include "daemon/service/process.hpp"
#include "daemon/service/readiness.hpp"
#include "daemon/service/refused_proofs.hpp"
#include "daemon/service/spending.hpp"
#include "daemon/service/status_desk.hpp"
#include "daemon/service/tallies.hpp"
#include "daemon/service/trust.hpp"
#include "daemon/service/vault.hpp"
#include "daemon/service/webhook.hpp"
#include "daemon/store/approval_book.hpp"
#include "daemon/store/approver_book.hpp"
#include "daemon/store/backup_shelf.hpp"
#include "daemon/store/gate_book.hpp"
#include "daemon/store/join_book.hpp"
#include "daemon/store/permit_book.hpp"
#include "daemon/store/proof_book.hpp"
#include "daemon/store/store.hpp"
#include "daemon/telemetry/edge_refusals.hpp"
#include "daemon/telemetry/log.hpp"
#include "daemon/telemetry/redactor.hpp"
#include "daemon/telemetry/request_counts.hpp"
#include "sdk/base/published.hpp"

namespace chancery::store {
class IncidentBook;
}

namespace chancery::service {

class AnomalyWatch;
class ConsoleDesk;
class FreezeDesk;

/// What the operator's configuration decides about issuing.
struct Policy {
  std::string issuer_url;
  std::vector<std::string> runtimes{};        ///< names of the agents that are tool runtimes
  std::string runtime_url{};                  ///< where agents call them: `https://HOST[:PORT]`
  std::chrono::seconds approval_life{900};    ///< how long a call waits for a person
  std::vector<std::string> tool_approvers{};  ///< of calls of tools that declare that they take an approval
  std::chrono::seconds requests_kept =
      std::chrono::hours(7 * 24);       ///< how long one that has ended, with its decisions
  std::chrono::seconds decided_kept{};  ///< how long the last decided document of each kind; 0: none
  std::vector<Gate> gates{};
  std::vector<std::string> public_urls;  ///< where TLS callers reach it: each `https://HOST[:PORT]`
  std::string trust_domain;
  OperatorRule operators;
  std::vector<std::string> granted_scopes;      ///< ceiling; empty: every scope
  std::vector<Constraint> granted_constraints;  ///< each must be met by every grant
  std::vector<std::string> granted_audiences;   ///< empty: any
  std::chrono::seconds max_grant_lifetime{0};
  std::int64_t max_grant_depth = 1;
  std::chrono::seconds default_delegation_lifetime{0};
  std::chrono::seconds key_overlap{0};  ///< how long an agent's key serves after another has followed it
  std::chrono::seconds min_status_lifetime{
      60};                                 ///< of tokens that refer to a status list; shorter ones do not
  VerifyOptions verify;                    ///< limits and signing modes; its cache is the daemon's
  std::optional<RelyingParty> passkeys{};  ///< none: nobody decides by one
  std::map<std::uint32_t, std::string>
      persons{};  ///< principals by the users of this machine that are theirs
};

/// How many may wait for a decision at a time, unless there are so many threads.
inline constexpr std::size_t kApprovalWaiters = 4;

/// Everything that the use cases work with; main wires it. References outlive the office.
struct Office {
  store::Store& store;
  const Backends& backends;
  KeyLife& life;
  DaemonKeys& issuer;
  TrustPublisher& trust;
  ReadinessCheck& readiness;
  store::ProofBook& proofs;
  store::JoinBook& joins;
  const Nonces& nonces;
  Spending& spending;
  StatusDesk& statuses;
  AttestationDesk& attestation;
  AuditDesk& audit;
  Webhook& webhook;            ///< of anomalies
  Webhook& approvals_webhook;  ///< of requests that wait for a person; with the same key
  store::BackupShelf& backups;
  Vault& vault;
  store::PermitBook& permits;
  IssuerDesk& issuers;
  store::ApprovalBook& approvals;
  store::ApproverBook& approvers;
  store::GateBook& gates;
  GatedIssuers& gated;
  Published<Policy> policy;
  std::vector<WatchedFile> files{};     ///< whose permissions the operator is told
  const telemetry::Log* log = nullptr;  ///< borrowed; null: nothing is told
  std::shared_ptr<telemetry::Redactor> redactor = std::make_shared<telemetry::Redactor>();
  AnomalyWatch* watch = nullptr;             ///< null: nobody watches how agents use their authority
  FreezeDesk* freezes = nullptr;             ///< null: nobody is frozen, and nobody can be
  ConsoleDesk* console = nullptr;            ///< null: there is no console
  store::IncidentBook* incidents = nullptr;  ///< set wherever requests are served
  /// Shared, because an office can be moved and counts cannot.
  std::shared_ptr<telemetry::RequestCounts> requests = std::make_shared<telemetry::RequestCounts>();
  std::shared_ptr<Tallies> tallies = std::make_shared<Tallies>();
  std::shared_ptr<telemetry::EdgeRefusals> edge_refusals = std::make_shared<telemetry::EdgeRefusals>();
  std::shared_ptr<RefusedProofs> refused_proofs = std::make_shared<RefusedProofs>();
  std::shared_ptr<ApprovalWaits> approval_waits = std::make_shared<ApprovalWaits>(kApprovalWaiters);
  /// Join tokens that were presented a second time.
  std::shared_ptr<std::atomic<std::uint64_t>> join_alarms = std::make_shared<std::atomic<std::uint64_t>>(0);
};

// One use case a file. Each is a straight line of steps; each answers with the store's and the device's
// errors besides those named.

/// The daemon's own keys of that owner; of an agent, the issuer's, with which is published which keys ended.
[[nodiscard]] inline DaemonKeys& daemon_keys(Office& office, std::string_view owner) {
  if (owner == store::kAttestation) return office.attestation.keys;
  if (owner == store::kAudit) return office.audit.keys;
  if (owner == store::kWebhook) return office.webhook.keys;
  return owner == store::kStatusLists ? office.statuses.keys : office.issuer;
}

/// The SPIFFE ID of an agent of this trust domain.
[[nodiscard]] std::string spiffe_id(const Policy& policy, std::string_view agent_name);

/// What stands before an agent's name in its SPIFFE ID left out, if it does.
[[nodiscard]] std::string_view agent_name(const Policy& policy, std::string_view name_or_id);

/// Registers an agent and makes its key in the device. kForbidden, kInvalidArgument (name), kBackendUnknown,
/// kUnsupportedAlgorithm, kConflict.
[[nodiscard]] Result<api::Agent> create_agent(Office& office, const CallContext& context,
                                              const api::CreateAgent& message);
/// For the operator, or the agent itself. kForbidden for anybody else, whether the agent exists or not;
/// kNotFound.
[[nodiscard]] Result<api::Agent> show_agent(Office& office, const CallContext& context,
                                            std::string_view name);
/// The most agents that one page lists.
inline constexpr std::size_t kMaxPage = store::kMaxPage;
/// \param limit  1 to kMaxPage
/// \param after  the `next` of the page before, or empty
[[nodiscard]] Result<api::AgentPage> list_agents(Office& office, const CallContext& context,
                                                 std::size_t limit, std::string_view after);
/// Ends an agent and destroys its keys, and says what that ends. kForbidden, kNotFound.
[[nodiscard]] Result<api::Retirement> retire_agent(Office& office, const CallContext& context,
                                                   std::string_view name);

/// Makes an agent's next key, which every token for it has from now on; the one before it serves what it
/// holds until the overlap ends. kForbidden, kNotFound, kKeyLost (see reenroll_agent), kInvalidArgument
/// (overlap), kBackendUnknown, kUnsupportedAlgorithm.
[[nodiscard]] Result<api::Rotation> rotate_agent(Office& office, const CallContext& context,
                                                 std::string_view name, const api::RotateKey& message);
/// Gives an agent whose key is lost or revoked a new one. kForbidden, kNotFound, kConflict when its key is
/// well, kBackendUnknown, kUnsupportedAlgorithm.
[[nodiscard]] Result<api::Rotation> reenroll_agent(Office& office, const CallContext& context,
                                                   std::string_view name, const api::ReenrollAgent& message);
/// Makes the issuer's next key, also in place of a lost one; both are published until the overlap ends.
[[nodiscard]] Result<api::Rotation> rotate_issuer(Office& office, const CallContext& context,
                                                  const api::RotateKey& message);
/// Keys of an agent, or of the issuer when `agent` is empty; newest first. kForbidden, kNotFound.
[[nodiscard]] Result<api::KeyList> list_keys(Office& office, const CallContext& context,
                                             std::string_view agent);
/// Ends a key at once, in whatever state it is: chains through it are denied from now on. kForbidden,
/// kInvalidArgument (thumbprint), kNotFound, kConflict when it was revoked before.
[[nodiscard]] Result<api::Revocation> revoke_key(Office& office, const CallContext& context,
                                                 std::string_view thumbprint, const api::RevokeKey& message);
/// Takes the device that answers in place of a backend's own; the keys that the former one holds are lost.
/// kForbidden, kBackendUnknown, kConflict when the backend has met no other device.
[[nodiscard]] Result<api::Adoption> adopt_backend(Office& office, const CallContext& context,
                                                  std::string_view backend);

/// Mints DT_0 that grants authority over this daemon to an operator's own key; on the Unix socket only.
/// kForbidden, kInvalidArgument (name, thumbprint, lifetime).
[[nodiscard]] Result<api::Grant> create_operator(Office& office, const CallContext& context,
                                                 const api::CreateOperator& message);

// Targets are named as in api::StatusTarget: kNotFound for one that is not there, kInvalidArgument for one that
// is none.

/// Revokes tokens for good; a key is ended besides, as revoke_key does (and with the authority for that).
/// kForbidden, kConflict for a key that was revoked before.
[[nodiscard]] Result<api::StatusAct> revoke(Office& office, const CallContext& context,
                                            const api::ChangeStatus& message);
/// Suspends tokens until that is lifted, and issues nothing meanwhile. kForbidden.
[[nodiscard]] Result<api::StatusAct> suspend(Office& office, const CallContext& context,
                                             const api::ChangeStatus& message);
/// Ends one suspension or drill. kForbidden, kNotFound, kConflict for a revocation.
[[nodiscard]] Result<api::StatusAct> lift(Office& office, const CallContext& context, std::string_view id);
/// What a revocation would end now. kForbidden.
[[nodiscard]] Result<api::Impact> impact(Office& office, const CallContext& context,
                                         const api::AskImpact& message);
/// Suspends for a while and records what is denied meanwhile. The daemon ends it by itself, also after a
/// restart. kForbidden.
[[nodiscard]] Result<api::Drill> start_drill(Office& office, const CallContext& context,
                                             const api::CreateDrill& message);
/// A drill under way, or its report. kForbidden.
[[nodiscard]] Result<api::Drill> show_drill(Office& office, const CallContext& context, std::string_view id);
/// Keys that sign status lists, newest first; and their rotation, as the issuer's. kForbidden.
[[nodiscard]] Result<api::KeyList> list_status_keys(Office& office, const CallContext& context);
[[nodiscard]] Result<api::Rotation> rotate_status_key(Office& office, const CallContext& context,
                                                      const api::RotateKey& message);

// --- attestation (docs/protocol/attestation.md); evidence that is refused is kEvidenceRefused, see refused_check()

/// Who the TPM of one of this daemon's backends says that it is. kForbidden, kBackendUnknown, kNoAttester.
[[nodiscard]] Result<api::HostIdentity> show_identity(Office& office, const CallContext& context,
                                                      std::string_view backend);
/// Opens a verifier's credential with that TPM, and quotes it. kForbidden, kBackendUnknown, kNoAttester, kInvalidArgument
/// (banks, nonce).
[[nodiscard]] Result<api::Activation> activate_credential(Office& office, const CallContext& context,
                                                          std::string_view backend,
                                                          const api::AttestationChallenge& challenge);
/// Has the device of a key of this daemon's certify it for a verifier. kForbidden, kNotFound, kNoAttester,
/// kInvalidArgument (thumbprint, banks, nonce).
[[nodiscard]] Result<api::KeyEvidence> certify_key(Office& office, const CallContext& context,
                                                   std::string_view thumbprint,
                                                   const api::CertifyKey& message);

/// What was measured into the TPM of a backend, and what that says of it. kForbidden, kBackendUnknown, kNoAttester,
/// kNotFound when nothing was.
[[nodiscard]] Result<api::Measurements> show_measurements(Office& office, const CallContext& context,
                                                          std::string_view backend,
                                                          const api::CertifyMeasurements& message);

/// Begins to enrol a host, whose TPM must open a credential. kForbidden, kInvalidArgument (name), kConflict when the name
/// or the EK is enrolled, kOverloaded when too many challenges are open.
[[nodiscard]] Result<api::AttestationChallenge> enroll_host(Office& office, const CallContext& context,
                                                            const api::EnrollHost& message);
/// Asks an enrolled host for evidence. kForbidden (also when it is quarantined), kNotFound, kOverloaded.
[[nodiscard]] Result<api::AttestationChallenge> ask_challenge(Office& office, const CallContext& context,
                                                              const api::AskChallenge& message);
/// Judges the answer to a challenge, which is good once. kForbidden, kNotFound (challenge).
[[nodiscard]] Result<api::Attested> take_evidence(Office& office, const CallContext& context,
                                                  const api::Evidence& message);
/// kForbidden.
[[nodiscard]] Result<api::AttestedHostList> list_hosts(Office& office, const CallContext& context,
                                                       std::size_t limit, std::string_view after);
/// kForbidden, kNotFound.
[[nodiscard]] Result<api::AttestedHost> show_host(Office& office, const CallContext& context,
                                                  std::string_view name);
/// Says what a waiting host's EK is worth. kForbidden, kNotFound, kConflict.
[[nodiscard]] Result<api::AttestedHost> approve_host(Office& office, const CallContext& context,
                                                     std::string_view name, const api::ApproveHost& message);
/// Forgets a host, which may enrol anew. kForbidden, kNotFound.
[[nodiscard]] Result<api::AttestedHost> remove_host(Office& office, const CallContext& context,
                                                    std::string_view name);
/// What is known of a key, one result a verifier; of the daemon's own keys, made anew when half of its life is over.
/// For everybody: results are there to be passed on. kInvalidArgument (thumbprint), kNotFound when nothing is known.
[[nodiscard]] Result<api::AttestationResults> show_results(Office& office, const CallContext& context,
                                                           std::string_view thumbprint);
/// Keys that sign attestation results, newest first; and their rotation, as the issuer's. kForbidden.
[[nodiscard]] Result<api::KeyList> list_attestation_keys(Office& office, const CallContext& context);
[[nodiscard]] Result<api::Rotation> rotate_attestation_key(Office& office, const CallContext& context,
                                                           const api::RotateKey& message);

// --- the audit log (docs/protocol/audit.md)

/// kForbidden, kInvalidArgument (limit).
[[nodiscard]] Result<api::AuditPage> list_audit_entries(Office& office, const CallContext& context,
                                                        const api::AuditQuery& query);
/// With its proof, and the salt of its parameters. kForbidden, kNotFound.
[[nodiscard]] Result<api::ProvedAuditEntry> show_audit_entry(Office& office, const CallContext& context,
                                                             std::uint64_t number);
/// kForbidden, kNotFound, kInvalidArgument (size).
[[nodiscard]] Result<api::AuditInclusion> prove_inclusion(Office& office, const CallContext& context,
                                                          std::uint64_t number, std::uint64_t size);
/// kForbidden, kInvalidArgument (sizes).
[[nodiscard]] Result<api::AuditConsistency> prove_consistency(Office& office, const CallContext& context,
                                                              std::uint64_t first, std::uint64_t second);
/// kForbidden, kInvalidArgument (limit).
[[nodiscard]] Result<api::AuditCheckpointPage> list_audit_checkpoints(Office& office,
                                                                      const CallContext& context,
                                                                      std::uint64_t after, std::size_t limit);
/// Signs what the log is now. kForbidden, and as AuditDesk::checkpoint().
[[nodiscard]] Result<api::AuditCheckpoint> make_audit_checkpoint(Office& office, const CallContext& context);
/// The newest one, for everybody. kNotFound before the first.
[[nodiscard]] Result<std::string> newest_audit_checkpoint(Office& office);
/// For everybody.
[[nodiscard]] Result<api::AuditKeys> show_audit_keys(Office& office);
/// As the issuer's. kForbidden.
[[nodiscard]] Result<api::Rotation> rotate_audit_key(Office& office, const CallContext& context,
                                                     const api::RotateKey& message);

/// Keys that sign what is told to webhooks, newest first; and their rotation, as the issuer's: kNotFound when there is
/// no webhook. kForbidden.
[[nodiscard]] Result<api::KeyList> list_webhook_keys(Office& office, const CallContext& context);
[[nodiscard]] Result<api::Rotation> rotate_webhook_key(Office& office, const CallContext& context,
                                                       const api::RotateKey& message);

/// Mints DT_0 for a principal and an agent. kForbidden (caller, control-plane scopes), kCeilingExceeded,
/// kUnboundedBudget, kNotFound, kRetired, kTooLarge.
[[nodiscard]] Result<api::Grant> grant(Office& office, const CallContext& context,
                                       const api::CreateGrant& message);

/// Verifies the parent chain, narrows, signs with the holder's own key, records, answers. kParentDenied,
/// kNotHolder, kNotFound (receiver), kDepthExhausted, kNoMeet, kNothingGranted, kNotNarrower (`exact`),
/// kUnboundedBudget, kTooLarge.
[[nodiscard]] Result<api::Delegation> delegate(Office& office, const CallContext& context,
                                               const api::CreateDelegation& message);

/// Hands the chain's leaf to a key of the caller's for some minutes, as one more token that is not delegable. The
/// leaf's holder signs once. kParentDenied, kNotHolder, kProofRefused, kDepthExhausted.
[[nodiscard]] Result<api::Session> open_session(Office& office, const CallContext& context,
                                                const api::CreateSession& message);

/// Makes a secret by which an agent's process elsewhere joins once. Its chain is one of authority over this
/// daemon that somebody delegated to the agent's own key. kForbidden, kNotFound, kParentDenied, kNotHolder,
/// kDepthExhausted.
[[nodiscard]] Result<api::JoinToken> create_join_token(Office& office, const CallContext& context,
                                                       const api::CreateJoinToken& message);

/// Gives who has a join token, and a key, a child of its chain for that key, which is not delegable. Exactly one
/// of any number of uses succeeds, and a later one raises an alarm. kNonceRequired, kProofRefused, kForbidden.
[[nodiscard]] Result<api::Joined> join(Office& office, const CallContext& context, std::string_view token,
                                       const std::string& key_proof);

/// A DPoP proof for the chain's leaf by its holder's key. kParentDenied, kNotHolder, kInvalidArgument.
[[nodiscard]] Result<api::Proof> prove(Office& office, const CallContext& context,
                                       const api::CreateProof& message);

/// Stateless judgement: no replay check, no totals held, nothing recorded. kMalformed for parameters that
/// cannot be read.
[[nodiscard]] Result<Verdict> verify(const Office& office, std::chrono::sys_seconds now,
                                     const api::VerifyChain& message);
[[nodiscard]] Result<Explanation> explain(const Office& office, std::chrono::sys_seconds now,
                                          const api::VerifyChain& message);
/// verify_chain, for every use of a chain: what it finds is noted for impact and drills.
[[nodiscard]] Verdict judge_use(const Office& office, std::span<const std::string_view> chain,
                                const TrustSnapshot& trust, std::chrono::sys_seconds now,
                                const VerifyOptions& options);
/// The same under the trust of the moment.
[[nodiscard]] Verdict judge_use(const Office& office, std::span<const std::string_view> chain,
                                std::chrono::sys_seconds now, const VerifyOptions& options);

/// Decides an action for an enforcement point (`audience` bounds whom it may ask for): verification,
/// the proof's single use and budgets; what is permitted is spent or reserved, and recorded before it is
/// answered. A denial is an answer. kForbidden, kMalformed (parameters), kConflict (idempotency key),
/// kSpendingHalted.
[[nodiscard]] Result<api::Decision> authorize(Office& office, const CallContext& context,
                                              const api::Authorize& message);
/// Ends a reservation of the caller's own with what was used. kForbidden, kNotFound, kConflict when it has
/// ended, kInvalidArgument (amounts).
[[nodiscard]] Result<api::EndedReservation> settle(Office& office, const CallContext& context,
                                                   std::string_view decision, const api::Settlement& message);
/// The same for one of which nothing was used.
[[nodiscard]] Result<api::EndedReservation> release(Office& office, const CallContext& context,
                                                    std::string_view decision);
/// The daemon at a glance, and what its agents do otherwise than they used to. kForbidden.
[[nodiscard]] Result<api::Overview> show_overview(Office& office, const CallContext& context);
[[nodiscard]] Result<api::AnomalyList> list_anomalies(Office& office, const CallContext& context,
                                                      std::size_t limit);
/// Suspends an agent for what it does, of the daemon's own accord, unless it is suspended for that already.
/// \return the act
[[nodiscard]] Result<std::int64_t> suspend_for(Office& office, const api::Anomaly& anomaly,
                                               std::chrono::sys_seconds now);

/// Whether budgets are spent. kForbidden.
[[nodiscard]] Result<api::Budget> show_budget(Office& office, const CallContext& context);
/// Spends and issues from this store from now on, though its checkpoint or the clock says otherwise. Tokens of before that
/// are ended end also by the issuer's keys, in whose place another is to be made. kForbidden, kInvalidArgument (what becomes
/// of tokens), kSpendingHalted when no counter is configured, and the device's errors.
[[nodiscard]] Result<api::Budget> accept_budget(Office& office, const CallContext& context,
                                                const api::AcceptBudget& message);

/// Has a copy of the database made in the state folder. kForbidden, kConflict while another is made.
[[nodiscard]] Result<api::Backup> create_backup(Office& office, const CallContext& context);

/// The JSON Web Key Set of the trust anchor (RFC 7517 section 5), as it was published last: asks no store.
[[nodiscard]] std::string key_set(const Office& office);
/// The same of the keys that sign status lists.
[[nodiscard]] std::string status_key_set(const Office& office);
/// The same of the keys that sign attestation results.
[[nodiscard]] std::string attestation_key_set(const Office& office);
/// The same of the keys that sign what is told to webhooks.
[[nodiscard]] std::string webhook_key_set(const Office& office);
/// Metadata of the daemon's own interface as a protected resource (RFC 9728).
[[nodiscard]] std::string protected_resource(const Office& office,
                                             const std::vector<std::string_view>& scopes);
/// Authorization server metadata (RFC 8414).
[[nodiscard]] std::string metadata(const Office& office);

}  // namespace chancery::service
