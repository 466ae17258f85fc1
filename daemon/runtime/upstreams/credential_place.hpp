#pragma once

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "daemon/runtime/outbound/outbound_request.hpp"
#include "daemon/runtime/tools/tool.hpp"

namespace chancery::runtime {

/// Puts a credential where a tool's declaration says: into a header, a parameter of the query, or as the password of a user
/// (RFC 7617).
/// \return kInvalidArgument for a value that has no place there: one with control characters, or an empty one
[[nodiscard]] Status place_credential(const tools::CredentialPlace& place, const SecretBytes& value,
                                      OutboundRequest& request);

}  // namespace chancery::runtime
