#include <chancery/attestation_client.hpp>

#include "sdk/client/attestation_calls.hpp"
#include "sdk/client/client_impl.hpp"

namespace chancery {

// Every method twice: waiting for its answer, and through a future.

ClientResult<api::HostIdentity> AttestationClient::identity(std::string_view backend) const {
  return impl_->run(client::show_identity(backend));
}
std::future<ClientResult<api::HostIdentity>> AttestationClient::identity_async(
    std::string_view backend) const {
  return impl_->post(client::show_identity(backend));
}

ClientResult<api::Activation> AttestationClient::activate(std::string_view backend,
                                                          const api::AttestationChallenge& challenge) const {
  return impl_->run(client::activate(backend, challenge));
}
std::future<ClientResult<api::Activation>> AttestationClient::activate_async(
    std::string_view backend, const api::AttestationChallenge& challenge) const {
  return impl_->post(client::activate(backend, challenge));
}

ClientResult<api::KeyEvidence> AttestationClient::certify(std::string_view jkt,
                                                          const api::CertifyKey& request) const {
  return impl_->run(client::certify(jkt, request));
}
std::future<ClientResult<api::KeyEvidence>> AttestationClient::certify_async(
    std::string_view jkt, const api::CertifyKey& request) const {
  return impl_->post(client::certify(jkt, request));
}

ClientResult<api::Measurements> AttestationClient::measurements(
    std::string_view backend, const api::CertifyMeasurements& request) const {
  return impl_->run(client::show_measurements(backend, request));
}
std::future<ClientResult<api::Measurements>> AttestationClient::measurements_async(
    std::string_view backend, const api::CertifyMeasurements& request) const {
  return impl_->post(client::show_measurements(backend, request));
}

ClientResult<api::AttestationChallenge> AttestationClient::enroll(const api::EnrollHost& request) const {
  return impl_->run(client::enroll_host(request));
}
std::future<ClientResult<api::AttestationChallenge>> AttestationClient::enroll_async(
    const api::EnrollHost& request) const {
  return impl_->post(client::enroll_host(request));
}

ClientResult<api::AttestationChallenge> AttestationClient::challenge(const api::AskChallenge& request) const {
  return impl_->run(client::ask_challenge(request));
}
std::future<ClientResult<api::AttestationChallenge>> AttestationClient::challenge_async(
    const api::AskChallenge& request) const {
  return impl_->post(client::ask_challenge(request));
}

ClientResult<api::Attested> AttestationClient::submit(const api::Evidence& evidence) const {
  return impl_->run(client::submit(evidence));
}
std::future<ClientResult<api::Attested>> AttestationClient::submit_async(
    const api::Evidence& evidence) const {
  return impl_->post(client::submit(evidence));
}

ClientResult<api::AttestedHostList> AttestationClient::hosts(std::string_view after,
                                                             std::size_t limit) const {
  return impl_->run(client::list_hosts(after, limit));
}
std::future<ClientResult<api::AttestedHostList>> AttestationClient::hosts_async(std::string_view after,
                                                                                std::size_t limit) const {
  return impl_->post(client::list_hosts(after, limit));
}

ClientResult<api::AttestedHost> AttestationClient::host(std::string_view name) const {
  return impl_->run(client::show_host(name));
}
std::future<ClientResult<api::AttestedHost>> AttestationClient::host_async(std::string_view name) const {
  return impl_->post(client::show_host(name));
}

ClientResult<api::AttestedHost> AttestationClient::approve(std::string_view host,
                                                           const api::ApproveHost& request) const {
  return impl_->run(client::approve_host(host, request));
}
std::future<ClientResult<api::AttestedHost>> AttestationClient::approve_async(
    std::string_view host, const api::ApproveHost& request) const {
  return impl_->post(client::approve_host(host, request));
}

ClientResult<api::AttestedHost> AttestationClient::remove(std::string_view host) const {
  return impl_->run(client::remove_host(host));
}
std::future<ClientResult<api::AttestedHost>> AttestationClient::remove_async(std::string_view host) const {
  return impl_->post(client::remove_host(host));
}

ClientResult<api::KeyList> AttestationClient::keys() const { return impl_->run(client::attestation_keys()); }
std::future<ClientResult<api::KeyList>> AttestationClient::keys_async() const {
  return impl_->post(client::attestation_keys());
}

ClientResult<api::Rotation> AttestationClient::rotate_key(const api::RotateKey& request) const {
  return impl_->run(client::rotate_attestation_key(request));
}
std::future<ClientResult<api::Rotation>> AttestationClient::rotate_key_async(
    const api::RotateKey& request) const {
  return impl_->post(client::rotate_attestation_key(request));
}

ClientResult<api::AttestationResults> AttestationClient::results(std::string_view jkt) const {
  return impl_->run(client::attestation_results(jkt));
}
std::future<ClientResult<api::AttestationResults>> AttestationClient::results_async(
    std::string_view jkt) const {
  return impl_->post(client::attestation_results(jkt));
}

ClientResult<KeySet> AttestationClient::jwks() const { return impl_->run(client::attestation_jwks()); }
std::future<ClientResult<KeySet>> AttestationClient::jwks_async() const {
  return impl_->post(client::attestation_jwks());
}

}  // namespace chancery
