#include "sdk/client/calls.hpp"

#include <algorithm>
#include <utility>

#include "sdk/base/base64url.hpp"
#include "sdk/base/name.hpp"
#include "sdk/base/percent.hpp"
#include "sdk/crypto/jwk.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/wire/backup_messages.hpp"
#include "sdk/wire/fields.hpp"
#include "sdk/wire/messages.hpp"
#include "sdk/wire/status_messages.hpp"

namespace chancery::client {
namespace {

using json::Value;

Result<std::string> agent_path(std::string_view name) {
  if (is_name(name)) return "/v1/agents/" + std::string(name);
  return Error{ErrorCode::kInvalidArgument, "an agent's name is [a-z0-9][a-z0-9._-]{0,62}"};
}

Result<std::string> decision_path(std::string_view decision, std::string_view step) {
  if (!decision.empty()) return "/v1/decisions/" + percent_encode(decision) + std::string(step);
  return Error{ErrorCode::kInvalidArgument, "name a decision by the id that its permit has"};
}

Result<std::string> as_it_is(std::string body) { return body; }

Result<KeySet> read_key_set(std::string body) {
  KeySet out;
  {
    CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(body));
    const Value* keys = document.root().find("keys");
    if (keys == nullptr) return Error{ErrorCode::kMalformed, "a key set has `keys`"};
    CHANCERY_ASSIGN(out.keys, chancery::read_key_set(*keys));
  }
  out.json = std::move(body);
  return out;
}

Result<Metadata> read_metadata(std::string body) {
  Metadata out;
  {
    CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(body));
    CHANCERY_ASSIGN(out.issuer, wire::need_text(document.root(), "issuer", "metadata have `issuer`"));
    CHANCERY_ASSIGN(out.status_list_prefix, wire::text_or_empty(document.root(), "status_list_prefix",
                                                                "`status_list_prefix` is an address"));
    if (document.root().find("attestation_results") != nullptr) {
      CHANCERY_ASSIGN(out.attestation_results,
                      wire::string_array(document.root(), "attestation_results",
                                         "`attestation_results` is an array of compact eat+jwt"));
    }
  }
  out.json = std::move(body);
  return out;
}

Result<api::Readiness> read_readiness(std::string body) {
  api::Readiness out;
  {
    CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(body));
    const Value* ready = document.root().find("ready");
    if (ready == nullptr || !ready->boolean()) return Error{ErrorCode::kMalformed, "readiness has `ready`"};
    out.ready = *ready->boolean();
    if (document.root().find("missing") != nullptr) {
      CHANCERY_ASSIGN(out.missing,
                      wire::string_array(document.root(), "missing", "`missing` is an array of strings"));
    }
  }
  out.json = std::move(body);
  return out;
}

bool is_thumbprint(std::string_view text) { return base64url_decode_exactly<32>(text).has_value(); }

Result<HttpRequest> about_chain(const char* target, const api::VerifyChain& message) {
  // The writer leaves out parameters that it cannot read: the daemon would then judge another action.
  if (message.request && !parse_parameters(message.request->params)) {
    return Error{ErrorCode::kInvalidArgument,
                 "an action's parameters are one JSON object without duplicate members"};
  }
  return HttpRequest{"POST", target, wire::write(message)};
}

}  // namespace

std::string page_target(std::string_view path, std::string_view after, std::size_t limit) {
  std::string target = std::string(path) + "?limit=" + std::to_string(limit);
  if (!after.empty()) target += "&after=" + percent_encode(after);
  return target;
}

Result<Call<api::Agent>> create_agent(const api::CreateAgent& message) {
  return Call<api::Agent>{{"POST", "/v1/agents", wire::write(message)}, reading<wire::read_agent>};
}

Result<Call<api::Agent>> show_agent(std::string_view name) {
  CHANCERY_ASSIGN(std::string path, agent_path(name));
  return Call<api::Agent>{{"GET", std::move(path), {}}, reading<wire::read_agent>};
}

Result<Call<api::AgentPage>> list_agents(std::string_view after, std::size_t limit) {
  return Call<api::AgentPage>{{"GET", page_target("/v1/agents", after, limit), {}},
                              reading<wire::read_agent_page>};
}

Result<Call<api::Retirement>> retire_agent(std::string_view name) {
  CHANCERY_ASSIGN(std::string path, agent_path(name));
  return Call<api::Retirement>{{"DELETE", std::move(path), {}}, reading<wire::read_retirement>};
}

Result<Call<api::Rotation>> rotate_agent(std::string_view name, const api::RotateKey& message) {
  CHANCERY_ASSIGN(const std::string path, agent_path(name));
  return Call<api::Rotation>{{"POST", path + "/rotate", wire::write(message)}, reading<wire::read_rotation>};
}

Result<Call<api::Rotation>> reenroll_agent(std::string_view name, const api::ReenrollAgent& message) {
  CHANCERY_ASSIGN(const std::string path, agent_path(name));
  return Call<api::Rotation>{{"POST", path + "/reenroll", wire::write(message)},
                             reading<wire::read_rotation>};
}

Result<Call<api::KeyList>> agent_keys(std::string_view name) {
  CHANCERY_ASSIGN(const std::string path, agent_path(name));
  return Call<api::KeyList>{{"GET", path + "/keys", {}}, reading<wire::read_key_list>};
}

Result<Call<api::KeyList>> issuer_keys() {
  return Call<api::KeyList>{{"GET", "/v1/issuer/keys", {}}, reading<wire::read_key_list>};
}

Result<Call<api::Rotation>> rotate_issuer(const api::RotateKey& message) {
  return Call<api::Rotation>{{"POST", "/v1/issuer/rotate", wire::write(message)},
                             reading<wire::read_rotation>};
}

Result<Call<api::Revocation>> revoke_key(std::string_view jkt, const api::RevokeKey& message) {
  if (!is_thumbprint(jkt)) {
    return Error{ErrorCode::kInvalidArgument,
                 "a key is named by its RFC 7638 thumbprint, 43 characters of base64url"};
  }
  return Call<api::Revocation>{{"POST", "/v1/keys/" + std::string(jkt) + "/revoke", wire::write(message)},
                               reading<wire::read_revocation>};
}

Result<Call<api::StatusAct>> revoke(const api::ChangeStatus& message) {
  return Call<api::StatusAct>{{"POST", "/v1/revocations", wire::write(message)},
                              reading<wire::read_status_act>};
}

Result<Call<api::StatusAct>> suspend(const api::ChangeStatus& message) {
  return Call<api::StatusAct>{{"POST", "/v1/suspensions", wire::write(message)},
                              reading<wire::read_status_act>};
}

Result<Call<api::StatusAct>> lift(std::int64_t id) {
  return Call<api::StatusAct>{{"POST", "/v1/suspensions/" + std::to_string(id) + "/lift", "{}"},
                              reading<wire::read_status_act>};
}

Result<Call<api::Impact>> impact(const api::AskImpact& message) {
  return Call<api::Impact>{{"POST", "/v1/impact", wire::write(message)}, reading<wire::read_impact>};
}

Result<Call<api::Drill>> start_drill(const api::CreateDrill& message) {
  return Call<api::Drill>{{"POST", "/v1/drills", wire::write(message)}, reading<wire::read_drill>};
}

Result<Call<api::Drill>> show_drill(std::int64_t id) {
  return Call<api::Drill>{{"GET", "/v1/drills/" + std::to_string(id), {}}, reading<wire::read_drill>};
}

Result<Call<api::KeyList>> status_keys() {
  return Call<api::KeyList>{{"GET", "/v1/status-keys", {}}, reading<wire::read_key_list>};
}

Result<Call<api::Rotation>> rotate_status_key(const api::RotateKey& message) {
  return Call<api::Rotation>{{"POST", "/v1/status-keys/rotate", wire::write(message)},
                             reading<wire::read_rotation>};
}

Result<Call<api::Adoption>> adopt_backend(std::string_view name) {
  if (name.empty()) return Error{ErrorCode::kInvalidArgument, "name a backend: see `chancery backend list`"};
  return Call<api::Adoption>{{"POST", "/v1/backends/" + percent_encode(name) + "/adopt", "{}"},
                             reading<wire::read_adoption>};
}

Result<Call<api::Grant>> grant(const api::CreateGrant& message) {
  return Call<api::Grant>{{"POST", "/v1/grants", wire::write(message)}, reading<wire::read_grant>};
}

Result<Call<api::JoinToken>> create_join_token(const api::CreateJoinToken& message) {
  return Call<api::JoinToken>{{"POST", "/v1/join-tokens", wire::write(message)},
                              reading<wire::read_join_token>};
}

Result<Call<api::Joined>> join() {
  return Call<api::Joined>{{"POST", "/v1/join", {}}, reading<wire::read_joined>};
}

Result<Call<api::Session>> open_session(const api::CreateSession& message) {
  return Call<api::Session>{{"POST", "/v1/sessions", wire::write(message)}, reading<wire::read_session>};
}

Result<Call<api::Grant>> create_operator(const api::CreateOperator& message) {
  return Call<api::Grant>{{"POST", "/v1/operators", wire::write(message)}, reading<wire::read_grant>};
}

Result<Call<api::BackendList>> list_backends() {
  return Call<api::BackendList>{{"GET", "/v1/backends", {}}, reading<wire::read_backend_list>};
}

Result<Call<api::Backend>> show_backend(std::string_view name) {
  if (!is_name(name)) {
    return Error{ErrorCode::kInvalidArgument, "a backend's name is [a-z0-9][a-z0-9._-]{0,62}"};
  }
  return Call<api::Backend>{{"GET", "/v1/backends/" + std::string(name), {}}, reading<wire::read_backend>};
}

Result<Call<api::Process>> show_process() {
  return Call<api::Process>{{"GET", "/v1/process", {}}, reading<wire::read_process>};
}

Result<Call<api::Delegation>> delegate(const api::CreateDelegation& message) {
  return Call<api::Delegation>{{"POST", "/v1/delegations", wire::write(message)},
                               reading<wire::read_delegation>};
}

Result<Call<api::Proof>> prove(const api::CreateProof& message) {
  return Call<api::Proof>{{"POST", "/v1/proofs", wire::write(message)}, reading<wire::read_proof>};
}

Result<Call<api::Decision>> authorize(const api::Authorize& message) {
  if (!parse_parameters(message.params)) {
    return Error{ErrorCode::kInvalidArgument, "`params` must be a JSON object"};
  }
  return Call<api::Decision>{{"POST", "/v1/authorize", wire::write(message)}, reading<wire::read_decision>};
}

Result<Call<api::EndedReservation>> settle(std::string_view decision, const api::Settlement& message) {
  CHANCERY_ASSIGN(std::string path, decision_path(decision, "/settle"));
  return Call<api::EndedReservation>{{"POST", std::move(path), wire::write(message)},
                                     reading<wire::read_ended_reservation>};
}

Result<Call<api::EndedReservation>> release(std::string_view decision) {
  CHANCERY_ASSIGN(std::string path, decision_path(decision, "/release"));
  return Call<api::EndedReservation>{{"POST", std::move(path), "{}"}, reading<wire::read_ended_reservation>};
}

Result<Call<api::Budget>> show_budget() {
  return Call<api::Budget>{{"GET", "/v1/budget", {}}, reading<wire::read_budget>};
}

Result<Call<api::Budget>> accept_budget(const api::AcceptBudget& message) {
  return Call<api::Budget>{{"POST", "/v1/budget/accept", wire::write(message)}, reading<wire::read_budget>};
}

Result<Call<api::Backup>> create_backup() {
  return Call<api::Backup>{{"POST", "/v1/backups", "{}"}, reading<wire::read_backup>};
}

Result<Call<api::Verification>> verify(const api::VerifyChain& message) {
  CHANCERY_ASSIGN(HttpRequest request, about_chain("/v1/chains/verify", message));
  return Call<api::Verification>{std::move(request), wire::read_verification};
}

Result<Call<api::Verification>> explain(const api::VerifyChain& message) {
  CHANCERY_ASSIGN(HttpRequest request, about_chain("/v1/chains/explain", message));
  return Call<api::Verification>{std::move(request), wire::read_verification};
}

Result<Call<std::string>> explain_text(const api::VerifyChain& message) {
  CHANCERY_ASSIGN(HttpRequest request, about_chain("/v1/chains/explain", message));
  request.accept = "text/plain";
  return Call<std::string>{std::move(request), as_it_is};
}

Result<Call<KeySet>> jwks() { return Call<KeySet>{{"GET", "/.well-known/jwks.json", {}}, read_key_set}; }

Result<Call<KeySet>> status_jwks() {
  return Call<KeySet>{{"GET", "/.well-known/status-jwks.json", {}}, read_key_set};
}

Result<Call<KeySet>> attestation_jwks() {
  return Call<KeySet>{{"GET", "/.well-known/attestation-jwks.json", {}}, read_key_set};
}

Result<Call<KeySet>> webhook_jwks() {
  return Call<KeySet>{{"GET", "/.well-known/webhook-jwks.json", {}}, read_key_set};
}

Result<Call<std::string>> status_list(std::string_view name) {
  if (name.empty()) return Error{ErrorCode::kInvalidArgument, "name a status list: the end of its address"};
  return Call<std::string>{
      {"GET", "/v1/status-lists/" + percent_encode(name), {}, "application/statuslist+jwt"}, as_it_is};
}

Result<Call<Metadata>> metadata() {
  return Call<Metadata>{{"GET", "/.well-known/oauth-authorization-server", {}}, read_metadata};
}

Result<Call<api::Readiness>> readiness() {
  constexpr int kServiceUnavailable = 503;
  return Call<api::Readiness>{{"GET", "/readyz", {}}, read_readiness, kServiceUnavailable};
}

}  // namespace chancery::client
