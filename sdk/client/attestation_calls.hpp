#pragma once

#include <cstddef>
#include <string_view>

#include <chancery/api.hpp>
#include <chancery/api_attestation.hpp>
#include <chancery/result.hpp>

#include "sdk/client/calls.hpp"

namespace chancery::client {

// The calls around attestation. kInvalidArgument for a name or thumbprint that is none.

[[nodiscard]] Result<Call<api::HostIdentity>> show_identity(std::string_view backend);
[[nodiscard]] Result<Call<api::Activation>> activate(std::string_view backend,
                                                     const api::AttestationChallenge& message);
[[nodiscard]] Result<Call<api::KeyEvidence>> certify(std::string_view jkt, const api::CertifyKey& message);
[[nodiscard]] Result<Call<api::Measurements>> show_measurements(std::string_view backend,
                                                                const api::CertifyMeasurements& message);
[[nodiscard]] Result<Call<api::AttestationChallenge>> enroll_host(const api::EnrollHost& message);
[[nodiscard]] Result<Call<api::AttestationChallenge>> ask_challenge(const api::AskChallenge& message);
[[nodiscard]] Result<Call<api::Attested>> submit(const api::Evidence& message);
[[nodiscard]] Result<Call<api::AttestedHostList>> list_hosts(std::string_view after, std::size_t limit);
[[nodiscard]] Result<Call<api::AttestedHost>> show_host(std::string_view name);
[[nodiscard]] Result<Call<api::AttestedHost>> approve_host(std::string_view name,
                                                           const api::ApproveHost& message);
[[nodiscard]] Result<Call<api::AttestedHost>> remove_host(std::string_view name);
[[nodiscard]] Result<Call<api::KeyList>> attestation_keys();
[[nodiscard]] Result<Call<api::Rotation>> rotate_attestation_key(const api::RotateKey& message);
[[nodiscard]] Result<Call<api::AttestationResults>> attestation_results(std::string_view jkt);

}  // namespace chancery::client
