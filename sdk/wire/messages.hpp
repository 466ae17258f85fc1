#pragma once

#include <string>
#include <string_view>

#include <chancery/api.hpp>
#include <chancery/authorize.hpp>
#include <chancery/result.hpp>

#include "sdk/json/writer.hpp"

namespace chancery::wire {

// The JSON of every message in chancery/api.hpp, both ways: the daemon reads what the client writes. Readers
// refuse unknown members with kMalformed; writers give JCS.

[[nodiscard]] std::string write(const api::CreateAgent& message);
[[nodiscard]] std::string write(const api::CreateGrant& message);
[[nodiscard]] std::string write(const api::CreateDelegation& message);
[[nodiscard]] std::string write(const api::CreateProof& message);
[[nodiscard]] std::string write(const api::VerifyChain& message);
[[nodiscard]] std::string write(const api::Agent& message);
[[nodiscard]] std::string write(const api::AgentPage& message);
[[nodiscard]] std::string write(const api::Retirement& message);
[[nodiscard]] std::string write(const api::RotateKey& message);
[[nodiscard]] std::string write(const api::ReenrollAgent& message);
[[nodiscard]] std::string write(const api::RevokeKey& message);
[[nodiscard]] std::string write(const api::KeyList& message);
[[nodiscard]] std::string write(const api::Rotation& message);
[[nodiscard]] std::string write(const api::Revocation& message);
[[nodiscard]] std::string write(const api::Adoption& message);
[[nodiscard]] std::string write(const api::Grant& message);
[[nodiscard]] std::string write(const api::Delegation& message);
[[nodiscard]] std::string write(const api::Proof& message);
[[nodiscard]] std::string write(const api::Backend& message);
[[nodiscard]] std::string write(const api::BackendList& message);
[[nodiscard]] std::string write(const api::Process& message);
[[nodiscard]] std::string write(const api::Authorize& message);
[[nodiscard]] std::string write(const api::Decision& decision);
[[nodiscard]] std::string write(const api::Settlement& message);
[[nodiscard]] std::string write(const api::EndedReservation& message);
[[nodiscard]] std::string write(const api::AcceptBudget& message);
[[nodiscard]] std::string write(const api::Budget& message);

[[nodiscard]] Result<api::CreateAgent> read_create_agent(std::string_view json);
[[nodiscard]] Result<api::CreateGrant> read_create_grant(std::string_view json);
[[nodiscard]] std::string write(const api::CreateJoinToken& message);
[[nodiscard]] Result<api::CreateJoinToken> read_create_join_token(std::string_view json);
[[nodiscard]] std::string write(const api::JoinToken& message);
[[nodiscard]] Result<api::JoinToken> read_join_token(std::string_view json);
[[nodiscard]] std::string write(const api::Joined& message);
[[nodiscard]] Result<api::Joined> read_joined(std::string_view json);
[[nodiscard]] std::string write(const api::CreateSession& message);
[[nodiscard]] Result<api::CreateSession> read_create_session(std::string_view json);
[[nodiscard]] std::string write(const api::Session& message);
[[nodiscard]] Result<api::Session> read_session(std::string_view json);
[[nodiscard]] std::string write(const api::CreateOperator& message);
[[nodiscard]] Result<api::CreateOperator> read_create_operator(std::string_view json);
[[nodiscard]] Result<api::CreateDelegation> read_create_delegation(std::string_view json);
[[nodiscard]] Result<api::CreateProof> read_create_proof(std::string_view json);
[[nodiscard]] Result<api::VerifyChain> read_verify_chain(std::string_view json);
[[nodiscard]] Result<api::Agent> read_agent(std::string_view json);
[[nodiscard]] Result<api::AgentPage> read_agent_page(std::string_view json);
[[nodiscard]] Result<api::Retirement> read_retirement(std::string_view json);
[[nodiscard]] Result<api::RotateKey> read_rotate_key(std::string_view json);
[[nodiscard]] Result<api::ReenrollAgent> read_reenroll_agent(std::string_view json);
[[nodiscard]] Result<api::RevokeKey> read_revoke_key(std::string_view json);
[[nodiscard]] Result<api::KeyList> read_key_list(std::string_view json);
[[nodiscard]] Result<api::Rotation> read_rotation(std::string_view json);
[[nodiscard]] Result<api::Revocation> read_revocation(std::string_view json);
[[nodiscard]] Result<api::Adoption> read_adoption(std::string_view json);
[[nodiscard]] Result<api::Grant> read_grant(std::string_view json);
[[nodiscard]] Result<api::Delegation> read_delegation(std::string_view json);
[[nodiscard]] Result<api::Proof> read_proof(std::string_view json);
[[nodiscard]] Result<api::Backend> read_backend(std::string_view json);
[[nodiscard]] Result<api::BackendList> read_backend_list(std::string_view json);
[[nodiscard]] Result<api::Process> read_process(std::string_view json);
[[nodiscard]] Result<api::Authorize> read_authorize(std::string_view json);
[[nodiscard]] Result<api::Decision> read_decision(std::string_view json);
[[nodiscard]] Result<api::Settlement> read_settlement(std::string_view json);
[[nodiscard]] Result<api::EndedReservation> read_ended_reservation(std::string_view json);
/// Nothing at all says nothing of tokens.
[[nodiscard]] Result<api::AcceptBudget> read_accept_budget(std::string_view json);
[[nodiscard]] Result<api::Budget> read_budget(std::string_view json);

/// Selectors as the store keeps them too.
[[nodiscard]] std::string write(const api::Selectors& selectors);
[[nodiscard]] Result<api::Selectors> read_selectors(std::string_view json);

/// A verdict and an explanation, as library, command line and REST give them alike.
/// Of a step's name: its number, or "parse" or "custody".
[[nodiscard]] json::Node step_node(std::string_view step);
/// What a verified chain's last token gives.
[[nodiscard]] json::Node leaf_node(const VerifiedChain& chain);
[[nodiscard]] std::string write(const Verdict& verdict);
[[nodiscard]] std::string write(const Explanation& explanation);
/// The explanation with `decision` (ruling_name) and `missing`.
[[nodiscard]] std::string write(const Decision& decision);
[[nodiscard]] Result<api::Verification> read_verification(std::string json);

/// The engine's form of a request to judge.
[[nodiscard]] Result<ActionRequest> to_action_request(const api::Action& action);

}  // namespace chancery::wire
