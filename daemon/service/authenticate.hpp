#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/service/office.hpp"

namespace chancery::service {

/// What a request over TLS shows of its sender (docs/protocol/delegation-chain.md, section 5).
struct Presentation {
  std::vector<std::string_view> chain;  ///< root first; borrowed
  std::string proof;                    ///< the DPoP proof (RFC 9449 section 4.2)
  std::string method;
  std::string uri;  ///< that the sender called
};

/// Verifies a chain that is to give authority over this daemon: under its own issuer keys alone.
/// \return the chain; kChainRefused (hop given)
[[nodiscard]] Result<VerifiedChain> require_own_chain(const Office& office,
                                                      std::span<const std::string_view> chain,
                                                      std::chrono::sys_seconds now);

/// Finds out who sends a request: a chain whose root is one of this daemon's own issuer keys, and a fresh proof
/// by its holder with a nonce of this daemon's. What the chain allows is for require_authority(); the proof
/// counts once, whatever comes of the request.
/// \return the chain; kChainRefused (hop given), kNonceRequired, kProofRefused, kOverloaded (this holder has
///         used too many proofs of late), the store's errors
[[nodiscard]] Result<VerifiedChain> authenticate(Office& office, const Presentation& presentation,
                                                 std::chrono::sys_seconds now);

}  // namespace chancery::service
