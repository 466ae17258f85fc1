#pragma once

#include <chancery/result.hpp>

#include "daemon/rest/http.hpp"
#include "daemon/service/office.hpp"

namespace chancery::rest {

/// A token and a proof by the key that it is to be used with, as they stand in a request's headers.
struct Presented {
  std::string_view token;  ///< borrowed from the request
  std::string proof;
};

/// Reads `Authorization: DPoP` and `DPoP`; kUnauthenticated unless both are there.
[[nodiscard]] Result<Presented> read_presented(const Request& request);

/// Who sends a request over TLS: reads `Authorization: DPoP`, `Delegation-Chain` and `DPoP`
/// (docs/protocol/delegation-chain.md section 5), and has the use case judge them.
/// \return the chain; kUnauthenticated when there is none, and what service::authenticate() says
[[nodiscard]] Result<VerifiedChain> find_caller(service::Office& office, const Request& request);

/// The answer to whom find_caller() refused: 401 with the challenge that RFC 9449 section 7.1 has for it.
[[nodiscard]] Response challenge(const Error& error);

/// Tells the sender which nonce its next proof must carry (RFC 9449 section 8.2).
void add_nonce(const service::Office& office, const Request& request, Response& response);

}  // namespace chancery::rest
