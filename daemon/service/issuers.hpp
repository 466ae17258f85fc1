#pragma once

#include <string_view>

#include <chancery/api_vault.hpp>
#include <chancery/result.hpp>

#include "daemon/service/office.hpp"

namespace chancery::service {

// The use cases of issuers, for operators (docs/operations/issuers.md).

/// How each is; never what a provider said. kForbidden.
[[nodiscard]] Result<api::CredentialIssuerList> list_issuers(Office& office, const CallContext& context);

/// Begins a person's consent, which a restart ends. kForbidden, kNotFound, kInvalidArgument (an issuer that asks nobody; a port
/// where the redirect is not to loopback), kConfigInvalid.
[[nodiscard]] Result<api::BegunConsent> begin_consent(Office& office, const CallContext& context,
                                                      std::string_view issuer,
                                                      const api::BeginConsent& message);

/// Exchanges what the browser brought back, and puts the grant in place of what was there. kForbidden (also when the person did not
/// consent), kNotFound (issuer; a consent that nobody began, or that took too long), kMalformed, and the errors of an Issuer.
[[nodiscard]] Result<api::CredentialIssuer> finish_consent(Office& office, const CallContext& context,
                                                           std::string_view issuer,
                                                           const api::FinishConsent& message);

}  // namespace chancery::service
