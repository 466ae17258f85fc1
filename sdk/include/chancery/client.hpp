#pragma once

#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/api.hpp>
#include <chancery/api_backup.hpp>
#include <chancery/credential.hpp>
#include <chancery/keys.hpp>
#include <chancery/result.hpp>

namespace chancery {

/// Where the daemon is, and how long to wait for it. With neither `socket` nor `address`, the environment
/// decides: CHANCERY_SOCKET, then CHANCERY_ADDR, then /run/chancery/chancery.sock.
struct ClientOptions {
  std::string socket{};   ///< path of the daemon's Unix socket, where it knows the calling process
  std::string address{};  ///< `https://HOST[:PORT]`, where it knows who shows a credential
  std::string ca_file{};  ///< PEM; must have issued the daemon's certificate. Empty: CHANCERY_CACERT, else
                          ///< the system's
  std::chrono::milliseconds timeout{30000};  ///< for one call as a whole; more than zero
  /// For `address` alone; without one there are verification and the published documents.
  std::shared_ptr<const Credential> credential{};
  std::string
      task{};  ///< what this is a part of, for the daemon's logs: at most 128 printable ASCII characters
  std::string traceparent{};  ///< of the caller's trace, for the same (W3C Trace Context)
  /// How many connections to `socket` wait for the next call, each for some seconds. The daemon goes on to take whoever
  /// opened one for the caller: 0, which is none, for a process that changes its user, or is forked and goes on.
  std::size_t kept_connections = 0;
};

/// Why a call brought no answer. A value of its own for each call, so that threads share nothing.
struct ClientError {
  /// The daemon's own code when it refused and this version knows the code, kRequestRefused when it does not.
  /// Otherwise kConnectFailed, kTlsFailed, kTimeout, kBadResponse or kInvalidArgument, and nothing was
  /// answered.
  Error error;
  int status = 0;        ///< HTTP status; 0 when nothing was answered
  std::string code;      ///< the daemon's code, such as "not_holder"; empty unless it refused
  std::string detail;    ///< the daemon's own words: untrusted text, escape it for a terminal
  std::string document;  ///< the problem document (RFC 9457): says a refused chain's outcome, step and hop

  /// Whether the daemon answered, and its answer was no.
  [[nodiscard]] bool refused() const noexcept { return !code.empty(); }
};

template <typename T>
using ClientResult = Result<T, ClientError>;

/// The daemon's issuer keys, as it publishes them.
struct KeySet {
  std::vector<PublicKey> keys;
  std::string json;  ///< the JWK Set (RFC 7517)
};

/// The daemon's metadata (RFC 8414).
struct Metadata {
  std::string issuer;              ///< `iss` of the chains that it begins
  std::string status_list_prefix;  ///< addresses of its status lists begin so; empty: it has none
  /// Compact `eat+jwt` about its issuer keys, nothing verified: its own word unless somebody else signed.
  std::vector<std::string> attestation_results;
  std::string json;
};

/// Calls one daemon over its Unix socket or HTTPS.
///
/// Every method sends one request and waits for the answer; the form with `_async` answers through a future
/// instead and runs on a thread of the client's (at most four), so that its destructor waits for calls under
/// way. Methods may be called from several threads at once. An answer is taken up to 4 MiB, as JSON only;
/// redirects are refused; the daemon's certificate is always verified; no proxy is used. Errors: see
/// ClientError.
class Client {
 public:
  /// Opens nothing yet: each call connects for itself, so that a daemon that was restarted is found again.
  /// \return the client, or kInvalidArgument (both `socket` and `address`, a URL that is not https, a
  /// time-out that is not positive, a task or traceparent that is none), kFileUnreadable or kTlsFailed (`ca_file`)
  [[nodiscard]] static Result<Client> connect(const ClientOptions& options = {});

  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  /// "unix:/run/chancery/chancery.sock" or "https://HOST:PORT", for messages.
  [[nodiscard]] const std::string& endpoint() const noexcept;

  // On the Unix socket by the operator, or at its address with a credential that grants it; an agent may ask
  // for itself.

  ClientResult<api::Agent> create_agent(const api::CreateAgent& request) const;
  ClientResult<api::Agent> agent(std::string_view name) const;
  /// \param after  the `next` of the page before; empty for the first
  /// \param limit  1 to 1000
  ClientResult<api::AgentPage> agents(std::string_view after = {}, std::size_t limit = 100) const;
  ClientResult<api::Retirement> retire_agent(std::string_view name) const;
  ClientResult<api::Rotation> rotate_agent(std::string_view name, const api::RotateKey& request = {}) const;
  ClientResult<api::Rotation> reenroll_agent(std::string_view name,
                                             const api::ReenrollAgent& request = {}) const;
  ClientResult<api::KeyList> agent_keys(std::string_view name) const;
  ClientResult<api::KeyList> issuer_keys() const;
  ClientResult<api::Rotation> rotate_issuer(const api::RotateKey& request = {}) const;
  ClientResult<api::Revocation> revoke_key(std::string_view jkt, const api::RevokeKey& request = {}) const;
  ClientResult<api::StatusAct> revoke(const api::ChangeStatus& request) const;
  ClientResult<api::StatusAct> suspend(const api::ChangeStatus& request) const;
  /// \param id  of the suspension or drill
  ClientResult<api::StatusAct> lift(std::int64_t id) const;
  ClientResult<api::Impact> impact(const api::AskImpact& request) const;
  ClientResult<api::Drill> start_drill(const api::CreateDrill& request) const;
  ClientResult<api::Drill> drill(std::int64_t id) const;
  ClientResult<api::KeyList> status_keys() const;
  ClientResult<api::Rotation> rotate_status_key(const api::RotateKey& request = {}) const;
  ClientResult<api::Adoption> adopt_backend(std::string_view backend) const;
  ClientResult<api::Grant> grant(const api::CreateGrant& request) const;
  ClientResult<api::JoinToken> create_join_token(const api::CreateJoinToken& request) const;
  /// With join_credential() as the client's credential: the chain that the key has from now on. Once.
  ClientResult<api::Joined> join() const;
  /// On the Unix socket only: the chain that gives a key of the caller's own authority over the daemon.
  ClientResult<api::Grant> create_operator(const api::CreateOperator& request) const;
  /// Every key backend; the daemon asks each whether it answers.
  ClientResult<api::BackendList> backends() const;
  /// One key backend with its facts, for which the device is asked.
  ClientResult<api::Backend> backend(std::string_view name) const;
  /// The facts of the daemon's own process.
  ClientResult<api::Process> process() const;

  // The same, by the agent that holds the chain's last token.

  ClientResult<api::Delegation> delegate(const api::CreateDelegation& request) const;
  ClientResult<api::Proof> prove(const api::CreateProof& request) const;
  /// Session does it by itself.
  /// \param stop  gives it up: it ends in kTimeout, and the daemon may have opened one all the same
  ClientResult<api::Session> open_session(const api::CreateSession& request,
                                          const std::stop_token& stop = {}) const;

  // By an enforcement point: an operator on the Unix socket, or a credential that grants `chancery.authorize`.

  /// A denial is an answer too: look at `permitted`.
  ClientResult<api::Decision> authorize(const api::Authorize& request) const;
  /// Ends a reservation of one's own with what was used.
  ClientResult<api::EndedReservation> settle(std::string_view decision,
                                             const api::Settlement& request = {}) const;
  /// Ends a reservation of one's own of which nothing was used.
  ClientResult<api::EndedReservation> release(std::string_view decision) const;

  // By the operator, likewise.

  /// Whether budgets are spent.
  ClientResult<api::Budget> budget() const;
  /// Spends and issues from this store from now on, though it may be an older copy.
  ClientResult<api::Budget> accept_budget(const api::AcceptBudget& request = {}) const;
  /// Has a copy of the daemon's database made, on its machine.
  ClientResult<api::Backup> create_backup() const;

  // Anywhere.

  ClientResult<api::Verification> verify(const api::VerifyChain& request) const;
  /// The explanation's verdict; its hops are in `json`.
  ClientResult<api::Verification> explain(const api::VerifyChain& request) const;
  /// The explanation for people: several lines.
  ClientResult<std::string> explain_text(const api::VerifyChain& request) const;
  ClientResult<KeySet> jwks() const;
  /// The keys that sign the daemon's status lists.
  ClientResult<KeySet> status_jwks() const;
  /// A compact `statuslist+jwt` of the daemon's, nothing verified. \param name  of the list, as its address ends
  ClientResult<std::string> status_list(std::string_view name) const;
  ClientResult<Metadata> metadata() const;
  /// An answer even when the daemon is not ready: then it says what is missing.
  ClientResult<api::Readiness> readiness() const;

  // The same through futures. A request is copied before the call returns.

  std::future<ClientResult<api::Agent>> create_agent_async(const api::CreateAgent& request) const;
  std::future<ClientResult<api::Agent>> agent_async(std::string_view name) const;
  std::future<ClientResult<api::AgentPage>> agents_async(std::string_view after = {},
                                                         std::size_t limit = 100) const;
  std::future<ClientResult<api::Retirement>> retire_agent_async(std::string_view name) const;
  std::future<ClientResult<api::Rotation>> rotate_agent_async(std::string_view name,
                                                              const api::RotateKey& request = {}) const;
  std::future<ClientResult<api::Rotation>> reenroll_agent_async(std::string_view name,
                                                                const api::ReenrollAgent& request = {}) const;
  std::future<ClientResult<api::KeyList>> agent_keys_async(std::string_view name) const;
  std::future<ClientResult<api::KeyList>> issuer_keys_async() const;
  std::future<ClientResult<api::Rotation>> rotate_issuer_async(const api::RotateKey& request = {}) const;
  std::future<ClientResult<api::Revocation>> revoke_key_async(std::string_view jkt,
                                                              const api::RevokeKey& request = {}) const;
  std::future<ClientResult<api::StatusAct>> revoke_async(const api::ChangeStatus& request) const;
  std::future<ClientResult<api::StatusAct>> suspend_async(const api::ChangeStatus& request) const;
  std::future<ClientResult<api::StatusAct>> lift_async(std::int64_t id) const;
  std::future<ClientResult<api::Impact>> impact_async(const api::AskImpact& request) const;
  std::future<ClientResult<api::Drill>> start_drill_async(const api::CreateDrill& request) const;
  std::future<ClientResult<api::Drill>> drill_async(std::int64_t id) const;
  std::future<ClientResult<api::KeyList>> status_keys_async() const;
  std::future<ClientResult<api::Rotation>> rotate_status_key_async(const api::RotateKey& request = {}) const;
  std::future<ClientResult<api::Adoption>> adopt_backend_async(std::string_view backend) const;
  std::future<ClientResult<api::Grant>> grant_async(const api::CreateGrant& request) const;
  std::future<ClientResult<api::Grant>> create_operator_async(const api::CreateOperator& request) const;
  std::future<ClientResult<api::BackendList>> backends_async() const;
  std::future<ClientResult<api::Backend>> backend_async(std::string_view name) const;
  std::future<ClientResult<api::Process>> process_async() const;
  std::future<ClientResult<api::Delegation>> delegate_async(const api::CreateDelegation& request) const;
  std::future<ClientResult<api::Proof>> prove_async(const api::CreateProof& request) const;
  std::future<ClientResult<api::Session>> open_session_async(const api::CreateSession& request) const;
  std::future<ClientResult<api::JoinToken>> create_join_token_async(
      const api::CreateJoinToken& request) const;
  std::future<ClientResult<api::Joined>> join_async() const;
  std::future<ClientResult<api::Decision>> authorize_async(const api::Authorize& request) const;
  std::future<ClientResult<api::EndedReservation>> settle_async(std::string_view decision,
                                                                const api::Settlement& request = {}) const;
  std::future<ClientResult<api::EndedReservation>> release_async(std::string_view decision) const;
  std::future<ClientResult<api::Budget>> budget_async() const;
  std::future<ClientResult<api::Budget>> accept_budget_async(const api::AcceptBudget& request = {}) const;
  std::future<ClientResult<api::Backup>> create_backup_async() const;
  std::future<ClientResult<api::Verification>> verify_async(const api::VerifyChain& request) const;
  std::future<ClientResult<api::Verification>> explain_async(const api::VerifyChain& request) const;
  std::future<ClientResult<std::string>> explain_text_async(const api::VerifyChain& request) const;
  std::future<ClientResult<KeySet>> jwks_async() const;
  std::future<ClientResult<KeySet>> status_jwks_async() const;
  std::future<ClientResult<std::string>> status_list_async(std::string_view name) const;
  std::future<ClientResult<Metadata>> metadata_async() const;
  std::future<ClientResult<api::Readiness>> readiness_async() const;

 private:
  friend class AttestationClient;  // the calls of chancery/attestation_client.hpp
  friend class AuditClient;        // the calls of chancery/audit_client.hpp
  friend class OverviewClient;     // the calls of chancery/overview_client.hpp
  friend class ApprovalClient;     // the calls of chancery/approval_client.hpp
  friend class ConsoleClient;      // the calls of chancery/console_client.hpp
  friend class FreezeClient;       // the calls of chancery/freeze_client.hpp
  friend class IncidentClient;     // the calls of chancery/incident_client.hpp
  friend class RuntimeClient;      // the calls of chancery/runtime_client.hpp
  friend class VaultClient;        // the calls of chancery/vault_client.hpp
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace chancery
