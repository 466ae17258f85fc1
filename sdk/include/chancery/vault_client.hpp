#pragma once

#include <cstddef>
#include <future>
#include <string_view>

#include <chancery/api_vault.hpp>
#include <chancery/client.hpp>

namespace chancery {

/// The calls of a client around the vault of credentials (docs/operations/vault.md), for operators; everything that Client
/// says of its own holds for them. A value goes to the daemon and never comes back. On its way it stands in the memory of the
/// caller's process, which should end soon after. Borrows the client, which must outlive it but may be moved.
class VaultClient {
 public:
  explicit VaultClient(const Client& daemon) noexcept : impl_(daemon.impl_.get()) {}

  ClientResult<api::Credential> put(const api::PutCredential& request) const;
  ClientResult<api::Credential> rotate(std::string_view name, const api::RotateCredential& request) const;
  ClientResult<api::Credential> activate(std::string_view name,
                                         const api::ActivateCredential& request = {}) const;
  ClientResult<api::Credential> change(std::string_view name, const api::ChangeCredential& request) const;
  /// Of a version of 0, or none: all of them.
  ClientResult<api::Credential> revoke(std::string_view name,
                                       const api::RevokeCredential& request = {}) const;
  ClientResult<api::Credential> credential(std::string_view name) const;
  /// \param after  the `next` of the page before; empty for the first
  /// \param limit  1 to 1000
  ClientResult<api::CredentialPage> credentials(std::string_view after = {}, std::size_t limit = 100) const;
  ClientResult<api::CredentialIssuerList> issuers() const;
  /// Begins a person's consent, which finish_consent() ends with what the browser brought back.
  ClientResult<api::BegunConsent> begin_consent(std::string_view issuer,
                                                const api::BeginConsent& request = {}) const;
  ClientResult<api::CredentialIssuer> finish_consent(std::string_view issuer,
                                                     const api::FinishConsent& request) const;
  /// Forgets every credential, for a device that is gone.
  ClientResult<api::VaultReset> reset() const;

  // The same through futures. A request is copied before the call returns.

  std::future<ClientResult<api::Credential>> put_async(const api::PutCredential& request) const;
  std::future<ClientResult<api::Credential>> rotate_async(std::string_view name,
                                                          const api::RotateCredential& request) const;
  std::future<ClientResult<api::Credential>> activate_async(
      std::string_view name, const api::ActivateCredential& request = {}) const;
  std::future<ClientResult<api::Credential>> change_async(std::string_view name,
                                                          const api::ChangeCredential& request) const;
  std::future<ClientResult<api::Credential>> revoke_async(std::string_view name,
                                                          const api::RevokeCredential& request = {}) const;
  std::future<ClientResult<api::Credential>> credential_async(std::string_view name) const;
  std::future<ClientResult<api::CredentialPage>> credentials_async(std::string_view after = {},
                                                                   std::size_t limit = 100) const;
  std::future<ClientResult<api::CredentialIssuerList>> issuers_async() const;
  std::future<ClientResult<api::BegunConsent>> begin_consent_async(
      std::string_view issuer, const api::BeginConsent& request = {}) const;
  std::future<ClientResult<api::CredentialIssuer>> finish_consent_async(
      std::string_view issuer, const api::FinishConsent& request) const;
  std::future<ClientResult<api::VaultReset>> reset_async() const;

 private:
  Client::Impl* impl_;
};

}  // namespace chancery
