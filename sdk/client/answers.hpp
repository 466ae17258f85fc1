#pragma once

#include <chancery/client.hpp>

#include "sdk/client/transport.hpp"

namespace chancery::client {

/// Takes an answer's body when it is a success, or has status `other_status`, and is of the type that was
/// asked for.
/// \return the body, or the daemon's refusal (a problem document, RFC 9457), or kBadResponse: a redirect,
///         another type, a refusal without a code
[[nodiscard]] ClientResult<std::string> accept_answer(HttpAnswer answer, std::string_view content_type,
                                                      int other_status = 0);

}  // namespace chancery::client
