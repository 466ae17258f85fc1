#include <string>
#include <utility>

#include <chancery/vault_client.hpp>

#include "sdk/base/name.hpp"
#include "sdk/client/client_impl.hpp"
#include "sdk/wire/vault_messages.hpp"

namespace chancery {
namespace {

using client::Call;
using client::reading;
using CredentialCall = Result<Call<api::Credential>>;

constexpr const char* kCredentials = "/v1/credentials";
constexpr const char* kIssuers = "/v1/issuers";

// What is no name may be a value that somebody gave in its place: it goes nowhere.
CredentialCall about(std::string_view name, const char* method, const char* act, std::string body = {}) {
  if (!is_name(name)) {
    return Error{ErrorCode::kInvalidArgument,
                 "a credential's name is [a-z0-9][a-z0-9._-]{0,62}; its value is never an argument"};
  }
  std::string target = std::string(kCredentials) + "/" + std::string(name) + act;
  return Call<api::Credential>{{method, std::move(target), std::move(body)}, reading<wire::read_credential>};
}

CredentialCall put_call(const api::PutCredential& request) {
  const CredentialCall named = about(request.name, "GET", "");
  if (!named) return named.error();
  return Call<api::Credential>{{"POST", kCredentials, wire::write(request)}, reading<wire::read_credential>};
}

CredentialCall revoke_call(std::string_view name, const api::RevokeCredential& request) {
  if (request.version == 0) return about(name, "DELETE", "");
  return about(name, "POST", "/revoke", wire::write(request));
}

Result<Call<api::CredentialPage>> page_call(std::string_view after, std::size_t limit) {
  return Call<api::CredentialPage>{{"GET", client::page_target(kCredentials, after, limit), {}},
                                   reading<wire::read_credential_page>};
}

Result<Call<api::VaultReset>> reset_call() {
  return Call<api::VaultReset>{{"POST", "/v1/vault/reset", wire::write_confirmation()},
                               reading<wire::read_vault_reset>};
}

Result<Call<api::CredentialIssuerList>> issuers_call() {
  return Call<api::CredentialIssuerList>{{"GET", kIssuers, {}}, reading<wire::read_credential_issuer_list>};
}

Result<std::string> consent_target(std::string_view issuer, const char* act) {
  if (!is_name(issuer))
    return Error{ErrorCode::kInvalidArgument, "an issuer's name is [a-z0-9][a-z0-9._-]{0,62}"};
  return std::string(kIssuers) + "/" + std::string(issuer) + act;
}

Result<Call<api::BegunConsent>> begin_call(std::string_view issuer, const api::BeginConsent& request) {
  CHANCERY_ASSIGN(std::string target, consent_target(issuer, "/consent"));
  return Call<api::BegunConsent>{{"POST", std::move(target), wire::write(request)},
                                 reading<wire::read_begun_consent>};
}

Result<Call<api::CredentialIssuer>> finish_call(std::string_view issuer, const api::FinishConsent& request) {
  CHANCERY_ASSIGN(std::string target, consent_target(issuer, "/consented"));
  return Call<api::CredentialIssuer>{{"POST", std::move(target), wire::write(request)},
                                     reading<wire::read_credential_issuer>};
}

}  // namespace

// Every method twice: waiting for its answer, and through a future.

ClientResult<api::Credential> VaultClient::put(const api::PutCredential& request) const {
  return impl_->run(put_call(request));
}
std::future<ClientResult<api::Credential>> VaultClient::put_async(const api::PutCredential& request) const {
  return impl_->post(put_call(request));
}

ClientResult<api::Credential> VaultClient::rotate(std::string_view name,
                                                  const api::RotateCredential& request) const {
  return impl_->run(about(name, "POST", "/rotate", wire::write(request)));
}
std::future<ClientResult<api::Credential>> VaultClient::rotate_async(
    std::string_view name, const api::RotateCredential& request) const {
  return impl_->post(about(name, "POST", "/rotate", wire::write(request)));
}

ClientResult<api::Credential> VaultClient::activate(std::string_view name,
                                                    const api::ActivateCredential& request) const {
  return impl_->run(about(name, "POST", "/activate", wire::write(request)));
}
std::future<ClientResult<api::Credential>> VaultClient::activate_async(
    std::string_view name, const api::ActivateCredential& request) const {
  return impl_->post(about(name, "POST", "/activate", wire::write(request)));
}

ClientResult<api::Credential> VaultClient::change(std::string_view name,
                                                  const api::ChangeCredential& request) const {
  return impl_->run(about(name, "POST", "/change", wire::write(request)));
}
std::future<ClientResult<api::Credential>> VaultClient::change_async(
    std::string_view name, const api::ChangeCredential& request) const {
  return impl_->post(about(name, "POST", "/change", wire::write(request)));
}

ClientResult<api::Credential> VaultClient::revoke(std::string_view name,
                                                  const api::RevokeCredential& request) const {
  return impl_->run(revoke_call(name, request));
}
std::future<ClientResult<api::Credential>> VaultClient::revoke_async(
    std::string_view name, const api::RevokeCredential& request) const {
  return impl_->post(revoke_call(name, request));
}

ClientResult<api::Credential> VaultClient::credential(std::string_view name) const {
  return impl_->run(about(name, "GET", ""));
}
std::future<ClientResult<api::Credential>> VaultClient::credential_async(std::string_view name) const {
  return impl_->post(about(name, "GET", ""));
}

ClientResult<api::CredentialPage> VaultClient::credentials(std::string_view after, std::size_t limit) const {
  return impl_->run(page_call(after, limit));
}
std::future<ClientResult<api::CredentialPage>> VaultClient::credentials_async(std::string_view after,
                                                                              std::size_t limit) const {
  return impl_->post(page_call(after, limit));
}

ClientResult<api::CredentialIssuerList> VaultClient::issuers() const { return impl_->run(issuers_call()); }
std::future<ClientResult<api::CredentialIssuerList>> VaultClient::issuers_async() const {
  return impl_->post(issuers_call());
}

ClientResult<api::BegunConsent> VaultClient::begin_consent(std::string_view issuer,
                                                           const api::BeginConsent& request) const {
  return impl_->run(begin_call(issuer, request));
}
std::future<ClientResult<api::BegunConsent>> VaultClient::begin_consent_async(
    std::string_view issuer, const api::BeginConsent& request) const {
  return impl_->post(begin_call(issuer, request));
}

ClientResult<api::CredentialIssuer> VaultClient::finish_consent(std::string_view issuer,
                                                                const api::FinishConsent& request) const {
  return impl_->run(finish_call(issuer, request));
}
std::future<ClientResult<api::CredentialIssuer>> VaultClient::finish_consent_async(
    std::string_view issuer, const api::FinishConsent& request) const {
  return impl_->post(finish_call(issuer, request));
}

ClientResult<api::VaultReset> VaultClient::reset() const { return impl_->run(reset_call()); }
std::future<ClientResult<api::VaultReset>> VaultClient::reset_async() const {
  return impl_->post(reset_call());
}

}  // namespace chancery
