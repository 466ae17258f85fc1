#pragma once

#include <chancery/result.hpp>

#include "daemon/rest/http.hpp"
#include "daemon/service/office.hpp"

namespace chancery::rest {

/// Who sends a request over TLS: reads `Authorization: DPoP`, `Delegation-Chain` and `DPoP`
/// (docs/protocol/delegation-chain.md section 5), and has the use case judge them.
/// \return the chain; kUnauthenticated when there is none, and what service::authenticate() says
[[nodiscard]] Result<VerifiedChain> find_caller(service::Office& office, const Request& request);

/// The answer to whom find_caller() refused: 401 with the challenge that RFC 9449 section 7.1 has for it.
[[nodiscard]] Response challenge(const Error& error);

/// Tells the sender which nonce its next proof must carry (RFC 9449 section 8.2).
void add_nonce(const service::Office& office, const Request& request, Response& response);

}  // namespace chancery::rest
