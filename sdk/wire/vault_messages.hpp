#pragma once

#include <string>
#include <string_view>

#include <chancery/api_vault.hpp>
#include <chancery/result.hpp>

namespace chancery::wire {

// The JSON of chancery/api_vault.hpp, both ways, as messages.hpp has that of chancery/api.hpp. What is read of a value is
// copied into memory for secrets and nowhere else; what is written of one stands in the text that is returned.

[[nodiscard]] std::string write(const api::PutCredential& message);
[[nodiscard]] std::string write(const api::RotateCredential& message);
[[nodiscard]] std::string write(const api::ActivateCredential& message);
[[nodiscard]] std::string write(const api::ChangeCredential& message);
[[nodiscard]] std::string write(const api::RevokeCredential& message);
[[nodiscard]] std::string write(const api::Credential& message);
[[nodiscard]] std::string write(const api::CredentialPage& message);
[[nodiscard]] std::string write(const api::VaultReset& message);
[[nodiscard]] std::string write(const api::CredentialIssuer& message);
[[nodiscard]] std::string write(const api::CredentialIssuerList& message);
[[nodiscard]] std::string write(const api::BeginConsent& message);
[[nodiscard]] std::string write(const api::BegunConsent& message);
[[nodiscard]] std::string write(const api::FinishConsent& message);
/// What a reset must say, so that nobody does it in passing.
[[nodiscard]] std::string write_confirmation();

[[nodiscard]] Result<api::PutCredential> read_put_credential(std::string_view json);
[[nodiscard]] Result<api::RotateCredential> read_rotate_credential(std::string_view json);
[[nodiscard]] Result<api::ActivateCredential> read_activate_credential(std::string_view json);
[[nodiscard]] Result<api::ChangeCredential> read_change_credential(std::string_view json);
[[nodiscard]] Result<api::RevokeCredential> read_revoke_credential(std::string_view json);
[[nodiscard]] Result<api::Credential> read_credential(std::string_view json);
[[nodiscard]] Result<api::CredentialPage> read_credential_page(std::string_view json);
[[nodiscard]] Result<api::VaultReset> read_vault_reset(std::string_view json);
[[nodiscard]] Result<api::CredentialIssuer> read_credential_issuer(std::string_view json);
[[nodiscard]] Result<api::CredentialIssuerList> read_credential_issuer_list(std::string_view json);
[[nodiscard]] Result<api::BeginConsent> read_begin_consent(std::string_view json);
[[nodiscard]] Result<api::BegunConsent> read_begun_consent(std::string_view json);
[[nodiscard]] Result<api::FinishConsent> read_finish_consent(std::string_view json);
[[nodiscard]] Status read_confirmation(std::string_view json);

}  // namespace chancery::wire
