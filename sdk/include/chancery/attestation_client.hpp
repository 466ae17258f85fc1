#pragma once

#include <cstddef>
#include <future>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/api_attestation.hpp>
#include <chancery/client.hpp>

namespace chancery {

/// The calls of a client around attestation (docs/protocol/attestation.md, sections 6 and 7); everything that Client says of
/// its own holds for them. Borrows the client, which must outlive it but may be moved.
class AttestationClient {
 public:
  explicit AttestationClient(const Client& daemon) noexcept : impl_(daemon.impl_.get()) {}

  // Of a host, by its operator; by an agent for its own key.

  /// Who the device of a key backend says that it is.
  ClientResult<api::HostIdentity> identity(std::string_view backend) const;
  /// Has the device open the credential of an enrolment's challenge, and quote.
  ClientResult<api::Activation> activate(std::string_view backend,
                                         const api::AttestationChallenge& challenge) const;
  /// Has a key's device certify it. \param jkt  the key's thumbprint
  ClientResult<api::KeyEvidence> certify(std::string_view jkt, const api::CertifyKey& request) const;

  /// What the daemon has measured into a backend's device, and what the device says of it.
  ClientResult<api::Measurements> measurements(std::string_view backend,
                                               const api::CertifyMeasurements& request) const;

  // Of a verifier, by those who bring evidence.

  ClientResult<api::AttestationChallenge> enroll(const api::EnrollHost& request) const;
  ClientResult<api::AttestationChallenge> challenge(const api::AskChallenge& request) const;
  /// Answers a challenge, which is used up by it.
  ClientResult<api::Attested> submit(const api::Evidence& evidence) const;

  // Of a verifier, by its operator.

  /// \param after  the `next` of the page before; empty for the first
  /// \param limit  1 to 1000
  ClientResult<api::AttestedHostList> hosts(std::string_view after = {}, std::size_t limit = 100) const;
  ClientResult<api::AttestedHost> host(std::string_view name) const;
  ClientResult<api::AttestedHost> approve(std::string_view host, const api::ApproveHost& request) const;
  /// The host as it was. Its results do not count any more, and it may enrol anew.
  ClientResult<api::AttestedHost> remove(std::string_view host) const;
  ClientResult<api::KeyList> keys() const;
  ClientResult<api::Rotation> rotate_key(const api::RotateKey& request = {}) const;

  // Anywhere.

  /// What the daemon knows of a key. Of its own keys it makes a result when it has none that is fresh.
  ClientResult<api::AttestationResults> results(std::string_view jkt) const;
  /// The keys that sign the daemon's attestation results.
  ClientResult<KeySet> jwks() const;

  // The same through futures. A request is copied before the call returns.

  std::future<ClientResult<api::HostIdentity>> identity_async(std::string_view backend) const;
  std::future<ClientResult<api::Activation>> activate_async(std::string_view backend,
                                                            const api::AttestationChallenge& challenge) const;
  std::future<ClientResult<api::KeyEvidence>> certify_async(std::string_view jkt,
                                                            const api::CertifyKey& request) const;
  std::future<ClientResult<api::Measurements>> measurements_async(
      std::string_view backend, const api::CertifyMeasurements& request) const;
  std::future<ClientResult<api::AttestationChallenge>> enroll_async(const api::EnrollHost& request) const;
  std::future<ClientResult<api::AttestationChallenge>> challenge_async(
      const api::AskChallenge& request) const;
  std::future<ClientResult<api::Attested>> submit_async(const api::Evidence& evidence) const;
  std::future<ClientResult<api::AttestedHostList>> hosts_async(std::string_view after = {},
                                                               std::size_t limit = 100) const;
  std::future<ClientResult<api::AttestedHost>> host_async(std::string_view name) const;
  std::future<ClientResult<api::AttestedHost>> approve_async(std::string_view host,
                                                             const api::ApproveHost& request) const;
  std::future<ClientResult<api::AttestedHost>> remove_async(std::string_view host) const;
  std::future<ClientResult<api::KeyList>> keys_async() const;
  std::future<ClientResult<api::Rotation>> rotate_key_async(const api::RotateKey& request = {}) const;
  std::future<ClientResult<api::AttestationResults>> results_async(std::string_view jkt) const;
  std::future<ClientResult<KeySet>> jwks_async() const;

 private:
  Client::Impl* impl_;
};

}  // namespace chancery
