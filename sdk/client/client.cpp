#include <cstdlib>
#include <utility>

#include <chancery/client.hpp>

#include "sdk/client/calls.hpp"
#include "sdk/client/client_impl.hpp"

namespace chancery {
Result<Client> Client::connect(const ClientOptions& options) {
  if (options.timeout.count() <= 0)
    return Error{ErrorCode::kInvalidArgument, "the time-out must be more than zero"};
  const auto environment = [](const char* name) { return std::getenv(name); };
  CHANCERY_ASSIGN(const client::Endpoint endpoint, client::resolve_endpoint(options, environment));
  std::unique_ptr<client::Transport> transport;
  if (const auto* socket = std::get_if<client::UnixEndpoint>(&endpoint)) {
    transport = client::make_unix_transport(socket->path, options.kept_connections);
  } else {
    CHANCERY_ASSIGN(transport,
                    client::make_https_transport(std::get<client::HttpsEndpoint>(endpoint), options.timeout));
    if (options.credential) {
      transport = client::make_authorized_transport(
          std::move(transport), std::get<client::HttpsEndpoint>(endpoint).address, options.credential);
    }
  }
  CHANCERY_ASSIGN(transport,
                  client::make_marked_transport(std::move(transport), options.task, options.traceparent));
  return Client(std::make_unique<Impl>(client::describe(endpoint), std::move(transport), options.timeout));
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

const std::string& Client::endpoint() const noexcept { return impl_->endpoint; }

// Every method twice: waiting for its answer, and through a future.

ClientResult<api::Agent> Client::create_agent(const api::CreateAgent& request) const {
  return impl_->run(client::create_agent(request));
}
std::future<ClientResult<api::Agent>> Client::create_agent_async(const api::CreateAgent& request) const {
  return impl_->post(client::create_agent(request));
}

ClientResult<api::Agent> Client::agent(std::string_view name) const {
  return impl_->run(client::show_agent(name));
}
std::future<ClientResult<api::Agent>> Client::agent_async(std::string_view name) const {
  return impl_->post(client::show_agent(name));
}

ClientResult<api::AgentPage> Client::agents(std::string_view after, std::size_t limit) const {
  return impl_->run(client::list_agents(after, limit));
}
std::future<ClientResult<api::AgentPage>> Client::agents_async(std::string_view after,
                                                               std::size_t limit) const {
  return impl_->post(client::list_agents(after, limit));
}

ClientResult<api::Retirement> Client::retire_agent(std::string_view name) const {
  return impl_->run(client::retire_agent(name));
}
std::future<ClientResult<api::Retirement>> Client::retire_agent_async(std::string_view name) const {
  return impl_->post(client::retire_agent(name));
}

ClientResult<api::Rotation> Client::rotate_agent(std::string_view name, const api::RotateKey& request) const {
  return impl_->run(client::rotate_agent(name, request));
}
std::future<ClientResult<api::Rotation>> Client::rotate_agent_async(std::string_view name,
                                                                    const api::RotateKey& request) const {
  return impl_->post(client::rotate_agent(name, request));
}

ClientResult<api::Rotation> Client::reenroll_agent(std::string_view name,
                                                   const api::ReenrollAgent& request) const {
  return impl_->run(client::reenroll_agent(name, request));
}
std::future<ClientResult<api::Rotation>> Client::reenroll_agent_async(
    std::string_view name, const api::ReenrollAgent& request) const {
  return impl_->post(client::reenroll_agent(name, request));
}

ClientResult<api::KeyList> Client::agent_keys(std::string_view name) const {
  return impl_->run(client::agent_keys(name));
}
std::future<ClientResult<api::KeyList>> Client::agent_keys_async(std::string_view name) const {
  return impl_->post(client::agent_keys(name));
}

ClientResult<api::KeyList> Client::issuer_keys() const { return impl_->run(client::issuer_keys()); }
std::future<ClientResult<api::KeyList>> Client::issuer_keys_async() const {
  return impl_->post(client::issuer_keys());
}

ClientResult<api::Rotation> Client::rotate_issuer(const api::RotateKey& request) const {
  return impl_->run(client::rotate_issuer(request));
}
std::future<ClientResult<api::Rotation>> Client::rotate_issuer_async(const api::RotateKey& request) const {
  return impl_->post(client::rotate_issuer(request));
}

ClientResult<api::Revocation> Client::revoke_key(std::string_view jkt, const api::RevokeKey& request) const {
  return impl_->run(client::revoke_key(jkt, request));
}
std::future<ClientResult<api::Revocation>> Client::revoke_key_async(std::string_view jkt,
                                                                    const api::RevokeKey& request) const {
  return impl_->post(client::revoke_key(jkt, request));
}

ClientResult<api::StatusAct> Client::revoke(const api::ChangeStatus& request) const {
  return impl_->run(client::revoke(request));
}
std::future<ClientResult<api::StatusAct>> Client::revoke_async(const api::ChangeStatus& request) const {
  return impl_->post(client::revoke(request));
}

ClientResult<api::StatusAct> Client::suspend(const api::ChangeStatus& request) const {
  return impl_->run(client::suspend(request));
}
std::future<ClientResult<api::StatusAct>> Client::suspend_async(const api::ChangeStatus& request) const {
  return impl_->post(client::suspend(request));
}

ClientResult<api::StatusAct> Client::lift(std::int64_t id) const { return impl_->run(client::lift(id)); }
std::future<ClientResult<api::StatusAct>> Client::lift_async(std::int64_t id) const {
  return impl_->post(client::lift(id));
}

ClientResult<api::Impact> Client::impact(const api::AskImpact& request) const {
  return impl_->run(client::impact(request));
}
std::future<ClientResult<api::Impact>> Client::impact_async(const api::AskImpact& request) const {
  return impl_->post(client::impact(request));
}

ClientResult<api::Drill> Client::start_drill(const api::CreateDrill& request) const {
  return impl_->run(client::start_drill(request));
}
std::future<ClientResult<api::Drill>> Client::start_drill_async(const api::CreateDrill& request) const {
  return impl_->post(client::start_drill(request));
}

ClientResult<api::Drill> Client::drill(std::int64_t id) const { return impl_->run(client::show_drill(id)); }
std::future<ClientResult<api::Drill>> Client::drill_async(std::int64_t id) const {
  return impl_->post(client::show_drill(id));
}

ClientResult<api::KeyList> Client::status_keys() const { return impl_->run(client::status_keys()); }
std::future<ClientResult<api::KeyList>> Client::status_keys_async() const {
  return impl_->post(client::status_keys());
}

ClientResult<api::Rotation> Client::rotate_status_key(const api::RotateKey& request) const {
  return impl_->run(client::rotate_status_key(request));
}
std::future<ClientResult<api::Rotation>> Client::rotate_status_key_async(
    const api::RotateKey& request) const {
  return impl_->post(client::rotate_status_key(request));
}

ClientResult<api::Adoption> Client::adopt_backend(std::string_view backend) const {
  return impl_->run(client::adopt_backend(backend));
}
std::future<ClientResult<api::Adoption>> Client::adopt_backend_async(std::string_view backend) const {
  return impl_->post(client::adopt_backend(backend));
}

ClientResult<api::Grant> Client::grant(const api::CreateGrant& request) const {
  return impl_->run(client::grant(request));
}
std::future<ClientResult<api::Grant>> Client::grant_async(const api::CreateGrant& request) const {
  return impl_->post(client::grant(request));
}

ClientResult<api::JoinToken> Client::create_join_token(const api::CreateJoinToken& request) const {
  return impl_->run(client::create_join_token(request));
}
std::future<ClientResult<api::JoinToken>> Client::create_join_token_async(
    const api::CreateJoinToken& request) const {
  return impl_->post(client::create_join_token(request));
}

ClientResult<api::Joined> Client::join() const { return impl_->run(client::join()); }
std::future<ClientResult<api::Joined>> Client::join_async() const { return impl_->post(client::join()); }

ClientResult<api::Session> Client::open_session(const api::CreateSession& request,
                                                const std::stop_token& stop) const {
  auto call = client::open_session(request);
  if (call) call->request.stop = stop;
  return impl_->run(call);
}
std::future<ClientResult<api::Session>> Client::open_session_async(const api::CreateSession& request) const {
  return impl_->post(client::open_session(request));
}

ClientResult<api::Grant> Client::create_operator(const api::CreateOperator& request) const {
  return impl_->run(client::create_operator(request));
}
std::future<ClientResult<api::Grant>> Client::create_operator_async(
    const api::CreateOperator& request) const {
  return impl_->post(client::create_operator(request));
}

ClientResult<api::BackendList> Client::backends() const { return impl_->run(client::list_backends()); }
std::future<ClientResult<api::BackendList>> Client::backends_async() const {
  return impl_->post(client::list_backends());
}

ClientResult<api::Backend> Client::backend(std::string_view name) const {
  return impl_->run(client::show_backend(name));
}
std::future<ClientResult<api::Backend>> Client::backend_async(std::string_view name) const {
  return impl_->post(client::show_backend(name));
}

ClientResult<api::Process> Client::process() const { return impl_->run(client::show_process()); }
std::future<ClientResult<api::Process>> Client::process_async() const {
  return impl_->post(client::show_process());
}

ClientResult<api::Delegation> Client::delegate(const api::CreateDelegation& request) const {
  return impl_->run(client::delegate(request));
}
std::future<ClientResult<api::Delegation>> Client::delegate_async(
    const api::CreateDelegation& request) const {
  return impl_->post(client::delegate(request));
}

ClientResult<api::Proof> Client::prove(const api::CreateProof& request) const {
  return impl_->run(client::prove(request));
}
std::future<ClientResult<api::Proof>> Client::prove_async(const api::CreateProof& request) const {
  return impl_->post(client::prove(request));
}

ClientResult<api::Decision> Client::authorize(const api::Authorize& request) const {
  return impl_->run(client::authorize(request));
}
std::future<ClientResult<api::Decision>> Client::authorize_async(const api::Authorize& request) const {
  return impl_->post(client::authorize(request));
}

ClientResult<api::EndedReservation> Client::settle(std::string_view decision,
                                                   const api::Settlement& request) const {
  return impl_->run(client::settle(decision, request));
}
std::future<ClientResult<api::EndedReservation>> Client::settle_async(std::string_view decision,
                                                                      const api::Settlement& request) const {
  return impl_->post(client::settle(decision, request));
}

ClientResult<api::EndedReservation> Client::release(std::string_view decision) const {
  return impl_->run(client::release(decision));
}
std::future<ClientResult<api::EndedReservation>> Client::release_async(std::string_view decision) const {
  return impl_->post(client::release(decision));
}

ClientResult<api::Budget> Client::budget() const { return impl_->run(client::show_budget()); }
std::future<ClientResult<api::Budget>> Client::budget_async() const {
  return impl_->post(client::show_budget());
}

ClientResult<api::Budget> Client::accept_budget(const api::AcceptBudget& request) const {
  return impl_->run(client::accept_budget(request));
}
std::future<ClientResult<api::Budget>> Client::accept_budget_async(const api::AcceptBudget& request) const {
  return impl_->post(client::accept_budget(request));
}

ClientResult<api::Backup> Client::create_backup() const { return impl_->run(client::create_backup()); }
std::future<ClientResult<api::Backup>> Client::create_backup_async() const {
  return impl_->post(client::create_backup());
}

ClientResult<api::Verification> Client::verify(const api::VerifyChain& request) const {
  return impl_->run(client::verify(request));
}
std::future<ClientResult<api::Verification>> Client::verify_async(const api::VerifyChain& request) const {
  return impl_->post(client::verify(request));
}

ClientResult<api::Verification> Client::explain(const api::VerifyChain& request) const {
  return impl_->run(client::explain(request));
}
std::future<ClientResult<api::Verification>> Client::explain_async(const api::VerifyChain& request) const {
  return impl_->post(client::explain(request));
}

ClientResult<std::string> Client::explain_text(const api::VerifyChain& request) const {
  return impl_->run(client::explain_text(request));
}
std::future<ClientResult<std::string>> Client::explain_text_async(const api::VerifyChain& request) const {
  return impl_->post(client::explain_text(request));
}

ClientResult<KeySet> Client::jwks() const { return impl_->run(client::jwks()); }
std::future<ClientResult<KeySet>> Client::jwks_async() const { return impl_->post(client::jwks()); }

ClientResult<KeySet> Client::status_jwks() const { return impl_->run(client::status_jwks()); }
std::future<ClientResult<KeySet>> Client::status_jwks_async() const {
  return impl_->post(client::status_jwks());
}

ClientResult<std::string> Client::status_list(std::string_view name) const {
  return impl_->run(client::status_list(name));
}
std::future<ClientResult<std::string>> Client::status_list_async(std::string_view name) const {
  return impl_->post(client::status_list(name));
}

ClientResult<Metadata> Client::metadata() const { return impl_->run(client::metadata()); }
std::future<ClientResult<Metadata>> Client::metadata_async() const { return impl_->post(client::metadata()); }

ClientResult<api::Readiness> Client::readiness() const { return impl_->run(client::readiness()); }
std::future<ClientResult<api::Readiness>> Client::readiness_async() const {
  return impl_->post(client::readiness());
}

}  // namespace chancery
