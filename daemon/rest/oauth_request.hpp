#pragma once

#include <chancery/api.hpp>

#include "daemon/rest/form.hpp"
#include "daemon/rest/oauth_refusal.hpp"
#include "daemon/service/office.hpp"

namespace chancery::rest {

// What clients ask of the token endpoint, as messages that the use cases know. docs/protocol/oauth.md has every
// parameter.

/// `subject_token_type` of a chain in text form.
inline constexpr std::string_view kChainTokenType = "urn:chancery:token-type:chain";
inline constexpr std::string_view kAccessTokenType = "urn:ietf:params:oauth:token-type:access_token";

/// grant_type=client_credentials (RFC 6749 section 4.4).
/// \param policy  whose lifetimes stand in for one that is not asked for
[[nodiscard]] OAuthResult<api::CreateGrant> read_client_credentials(const Form& form,
                                                                    const service::Policy& policy);

/// grant_type=urn:ietf:params:oauth:grant-type:token-exchange (RFC 8693 section 2.1).
[[nodiscard]] OAuthResult<api::CreateDelegation> read_token_exchange(const Form& form);

}  // namespace chancery::rest
