#include "sdk/client/attestation_calls.hpp"

#include <string>
#include <utility>

#include "sdk/base/base64url.hpp"
#include "sdk/base/name.hpp"
#include "sdk/wire/attestation_messages.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::client {
namespace {

constexpr const char* kHosts = "/v1/attestation/hosts";

Result<std::string> backend_path(std::string_view name, std::string_view step) {
  if (is_name(name)) return "/v1/backends/" + std::string(name) + std::string(step);
  return Error{ErrorCode::kInvalidArgument, "a backend's name is [a-z0-9][a-z0-9._-]{0,62}"};
}

Result<std::string> host_path(std::string_view name) {
  if (is_name(name)) return std::string(kHosts) + "/" + std::string(name);
  return Error{ErrorCode::kInvalidArgument, "a host's name is [a-z0-9][a-z0-9._-]{0,62}"};
}

Result<std::string_view> thumbprint(std::string_view jkt) {
  if (base64url_decode_exactly<32>(jkt)) return jkt;
  return Error{ErrorCode::kInvalidArgument,
               "a key is named by its RFC 7638 thumbprint, 43 characters of base64url"};
}

}  // namespace

Result<Call<api::HostIdentity>> show_identity(std::string_view backend) {
  CHANCERY_ASSIGN(std::string path, backend_path(backend, "/identity"));
  return Call<api::HostIdentity>{{"GET", std::move(path), {}}, reading<wire::read_host_identity>};
}

Result<Call<api::Activation>> activate(std::string_view backend, const api::AttestationChallenge& message) {
  CHANCERY_ASSIGN(std::string path, backend_path(backend, "/activate"));
  return Call<api::Activation>{{"POST", std::move(path), wire::write(message)},
                               reading<wire::read_activation>};
}

Result<Call<api::KeyEvidence>> certify(std::string_view jkt, const api::CertifyKey& message) {
  CHANCERY_ASSIGN(const std::string_view key, thumbprint(jkt));
  return Call<api::KeyEvidence>{{"POST", "/v1/keys/" + std::string(key) + "/certify", wire::write(message)},
                                reading<wire::read_key_evidence>};
}

Result<Call<api::Measurements>> show_measurements(std::string_view backend,
                                                  const api::CertifyMeasurements& message) {
  CHANCERY_ASSIGN(std::string path, backend_path(backend, "/measurements"));
  return Call<api::Measurements>{{"POST", std::move(path), wire::write(message)},
                                 reading<wire::read_measurements>};
}

Result<Call<api::AttestationChallenge>> enroll_host(const api::EnrollHost& message) {
  return Call<api::AttestationChallenge>{{"POST", kHosts, wire::write(message)},
                                         reading<wire::read_attestation_challenge>};
}

Result<Call<api::AttestationChallenge>> ask_challenge(const api::AskChallenge& message) {
  return Call<api::AttestationChallenge>{{"POST", "/v1/attestation/challenge", wire::write(message)},
                                         reading<wire::read_attestation_challenge>};
}

Result<Call<api::Attested>> submit(const api::Evidence& message) {
  return Call<api::Attested>{{"POST", "/v1/attestation/evidence", wire::write(message)},
                             reading<wire::read_attested>};
}

Result<Call<api::AttestedHostList>> list_hosts(std::string_view after, std::size_t limit) {
  return Call<api::AttestedHostList>{{"GET", page_target(kHosts, after, limit), {}},
                                     reading<wire::read_attested_host_list>};
}

Result<Call<api::AttestedHost>> show_host(std::string_view name) {
  CHANCERY_ASSIGN(std::string path, host_path(name));
  return Call<api::AttestedHost>{{"GET", std::move(path), {}}, reading<wire::read_attested_host>};
}

Result<Call<api::AttestedHost>> approve_host(std::string_view name, const api::ApproveHost& message) {
  CHANCERY_ASSIGN(const std::string path, host_path(name));
  return Call<api::AttestedHost>{{"POST", path + "/approve", wire::write(message)},
                                 reading<wire::read_attested_host>};
}

Result<Call<api::AttestedHost>> remove_host(std::string_view name) {
  CHANCERY_ASSIGN(std::string path, host_path(name));
  return Call<api::AttestedHost>{{"DELETE", std::move(path), {}}, reading<wire::read_attested_host>};
}

Result<Call<api::KeyList>> attestation_keys() {
  return Call<api::KeyList>{{"GET", "/v1/attestation/keys", {}}, reading<wire::read_key_list>};
}

Result<Call<api::Rotation>> rotate_attestation_key(const api::RotateKey& message) {
  return Call<api::Rotation>{{"POST", "/v1/attestation/keys/rotate", wire::write(message)},
                             reading<wire::read_rotation>};
}

Result<Call<api::AttestationResults>> attestation_results(std::string_view jkt) {
  CHANCERY_ASSIGN(const std::string_view key, thumbprint(jkt));
  return Call<api::AttestationResults>{{"GET", "/v1/attestation/results/" + std::string(key), {}},
                                       reading<wire::read_attestation_results>};
}

}  // namespace chancery::client
