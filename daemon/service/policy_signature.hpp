#pragma once

#include <string>
#include <string_view>

#include <chancery/keys.hpp>
#include <chancery/result.hpp>

#include "daemon/service/gated_issuers.hpp"

namespace chancery::service {

/// Whether an approver's signature for the TPM is what the TPM will ask for, so that nothing is approved which could not be signed. Pure.
/// \param issuer     the key behind the gate, with who opens it
/// \param gate       its name
/// \param document   of the request, a grant: its unsigned token is what would be signed
/// \param signature  raw, base64url
/// \return kConflict when the token is for another key than the gate's; kForbidden when the TPM takes no signature of this approver's; kInvalidArgument when it has not 64 octets; kSignatureInvalid when it
///         is over something else, or the document has no token
[[nodiscard]] Status check_policy_signature(const GatedIssuer& issuer, std::string_view gate,
                                            const std::string& document, const PublicKey& approver,
                                            std::string_view signature);

}  // namespace chancery::service
