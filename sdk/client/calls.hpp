#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <chancery/api.hpp>
#include <chancery/api_backup.hpp>
#include <chancery/client.hpp>
#include <chancery/result.hpp>

#include "sdk/client/transport.hpp"

namespace chancery::client {

/// One call of the REST interface, ready to be sent: a request, and how its answer is read.
template <typename T>
struct Call {
  HttpRequest request;
  Result<T> (*read)(std::string body);
  int other_status = 0;  ///< a status of no success whose JSON answers the question all the same; 0: none
};

/// A reader of the wire's, as Call wants it.
template <auto Read>
auto reading(std::string body) {
  return Read(body);
}

/// The target of a page. \param after  the cursor; empty for the first page
[[nodiscard]] std::string page_target(std::string_view path, std::string_view after, std::size_t limit);

// The calls. kInvalidArgument for a name that is none, and for parameters that are no JSON object.

[[nodiscard]] Result<Call<api::Agent>> create_agent(const api::CreateAgent& message);
[[nodiscard]] Result<Call<api::Agent>> show_agent(std::string_view name);
[[nodiscard]] Result<Call<api::AgentPage>> list_agents(std::string_view after, std::size_t limit);
[[nodiscard]] Result<Call<api::Retirement>> retire_agent(std::string_view name);
[[nodiscard]] Result<Call<api::Rotation>> rotate_agent(std::string_view name, const api::RotateKey& message);
[[nodiscard]] Result<Call<api::Rotation>> reenroll_agent(std::string_view name,
                                                         const api::ReenrollAgent& message);
[[nodiscard]] Result<Call<api::KeyList>> agent_keys(std::string_view name);
[[nodiscard]] Result<Call<api::KeyList>> issuer_keys();
[[nodiscard]] Result<Call<api::Rotation>> rotate_issuer(const api::RotateKey& message);
[[nodiscard]] Result<Call<api::Revocation>> revoke_key(std::string_view jkt, const api::RevokeKey& message);
[[nodiscard]] Result<Call<api::StatusAct>> revoke(const api::ChangeStatus& message);
[[nodiscard]] Result<Call<api::StatusAct>> suspend(const api::ChangeStatus& message);
[[nodiscard]] Result<Call<api::StatusAct>> lift(std::int64_t id);
[[nodiscard]] Result<Call<api::Impact>> impact(const api::AskImpact& message);
[[nodiscard]] Result<Call<api::Drill>> start_drill(const api::CreateDrill& message);
[[nodiscard]] Result<Call<api::Drill>> show_drill(std::int64_t id);
[[nodiscard]] Result<Call<api::KeyList>> status_keys();
[[nodiscard]] Result<Call<api::Rotation>> rotate_status_key(const api::RotateKey& message);
[[nodiscard]] Result<Call<KeySet>> status_jwks();
[[nodiscard]] Result<Call<KeySet>> attestation_jwks();
[[nodiscard]] Result<Call<KeySet>> webhook_jwks();
[[nodiscard]] Result<Call<std::string>> status_list(std::string_view name);
[[nodiscard]] Result<Call<api::Adoption>> adopt_backend(std::string_view name);
[[nodiscard]] Result<Call<api::Grant>> grant(const api::CreateGrant& message);
[[nodiscard]] Result<Call<api::JoinToken>> create_join_token(const api::CreateJoinToken& message);
[[nodiscard]] Result<Call<api::Joined>> join();
[[nodiscard]] Result<Call<api::Session>> open_session(const api::CreateSession& message);
[[nodiscard]] Result<Call<api::Grant>> create_operator(const api::CreateOperator& message);
[[nodiscard]] Result<Call<api::BackendList>> list_backends();
[[nodiscard]] Result<Call<api::Backend>> show_backend(std::string_view name);
[[nodiscard]] Result<Call<api::Process>> show_process();
[[nodiscard]] Result<Call<api::Delegation>> delegate(const api::CreateDelegation& message);
[[nodiscard]] Result<Call<api::Proof>> prove(const api::CreateProof& message);
[[nodiscard]] Result<Call<api::Decision>> authorize(const api::Authorize& message);
[[nodiscard]] Result<Call<api::EndedReservation>> settle(std::string_view decision,
                                                         const api::Settlement& message);
[[nodiscard]] Result<Call<api::EndedReservation>> release(std::string_view decision);
[[nodiscard]] Result<Call<api::Budget>> show_budget();
[[nodiscard]] Result<Call<api::Budget>> accept_budget(const api::AcceptBudget& message);
[[nodiscard]] Result<Call<api::Backup>> create_backup();
[[nodiscard]] Result<Call<api::Verification>> verify(const api::VerifyChain& message);
[[nodiscard]] Result<Call<api::Verification>> explain(const api::VerifyChain& message);
[[nodiscard]] Result<Call<std::string>> explain_text(const api::VerifyChain& message);
[[nodiscard]] Result<Call<KeySet>> jwks();
[[nodiscard]] Result<Call<Metadata>> metadata();
[[nodiscard]] Result<Call<api::Readiness>> readiness();

}  // namespace chancery::client
