#pragma once

#include <string>
#include <string_view>

#include <chancery/api_attestation.hpp>
#include <chancery/result.hpp>

namespace chancery::wire {

// The JSON of chancery/api_attestation.hpp, both ways, as messages.hpp has that of chancery/api.hpp.

[[nodiscard]] std::string write(const api::HostIdentity& message);
[[nodiscard]] std::string write(const api::EnrollHost& message);
[[nodiscard]] std::string write(const api::AskChallenge& message);
[[nodiscard]] std::string write(const api::AttestationChallenge& message);
[[nodiscard]] std::string write(const api::Activation& message);
[[nodiscard]] std::string write(const api::CertifyKey& message);
[[nodiscard]] std::string write(const api::KeyEvidence& message);
[[nodiscard]] std::string write(const api::CertifyMeasurements& message);
[[nodiscard]] std::string write(const api::Measurements& message);
[[nodiscard]] std::string write(const api::Evidence& message);
[[nodiscard]] std::string write(const api::AttestedHost& message);
[[nodiscard]] std::string write(const api::AttestedHostList& message);
[[nodiscard]] std::string write(const api::ApproveHost& message);
[[nodiscard]] std::string write(const api::Attested& message);
[[nodiscard]] std::string write(const api::AttestationResults& message);

[[nodiscard]] Result<api::HostIdentity> read_host_identity(std::string_view json);
[[nodiscard]] Result<api::EnrollHost> read_enroll_host(std::string_view json);
[[nodiscard]] Result<api::AskChallenge> read_ask_challenge(std::string_view json);
[[nodiscard]] Result<api::AttestationChallenge> read_attestation_challenge(std::string_view json);
[[nodiscard]] Result<api::Activation> read_activation(std::string_view json);
[[nodiscard]] Result<api::CertifyKey> read_certify_key(std::string_view json);
[[nodiscard]] Result<api::KeyEvidence> read_key_evidence(std::string_view json);
[[nodiscard]] Result<api::CertifyMeasurements> read_certify_measurements(std::string_view json);
[[nodiscard]] Result<api::Measurements> read_measurements(std::string_view json);
[[nodiscard]] Result<api::Evidence> read_evidence(std::string_view json);
[[nodiscard]] Result<api::AttestedHost> read_attested_host(std::string_view json);
[[nodiscard]] Result<api::AttestedHostList> read_attested_host_list(std::string_view json);
[[nodiscard]] Result<api::ApproveHost> read_approve_host(std::string_view json);
[[nodiscard]] Result<api::Attested> read_attested(std::string_view json);
[[nodiscard]] Result<api::AttestationResults> read_attestation_results(std::string_view json);

}  // namespace chancery::wire
