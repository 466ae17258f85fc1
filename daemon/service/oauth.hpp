#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/service/office.hpp"

namespace chancery::service {

// The daemon as an OAuth authorization server: docs/protocol/oauth.md.

/// The token endpoint's path, under each of the daemon's public URLs.
inline constexpr std::string_view kTokenPath = "/v1/token";

/// What a client shows of itself (RFC 7523 section 2.2). Borrowed.
struct ClientAssertion {
  std::string_view assertion;  ///< the JWT, with its key as `jwk` in the header
  std::string_view chain;      ///< text form: of authority over this daemon, held by that key
  std::string_view client_id;  ///< empty: not sent
};

/// Finds out which client sends a request. The assertion counts once; what the chain allows is for
/// require_authority().
/// \return the chain; kChainRefused (hop given), kUnauthenticated, kOverloaded, the store's errors
[[nodiscard]] Result<VerifiedChain> authenticate_client(Office& office, const ClientAssertion& shown,
                                                        std::chrono::sys_seconds now);

/// Finds out to which key a new token is to be bound (RFC 9449 section 5). The proof counts once.
/// \return its thumbprint; kNonceRequired, kProofRefused, kOverloaded, the store's errors
[[nodiscard]] Result<Thumbprint> find_binding(Office& office, const std::string& proof,
                                              std::chrono::sys_seconds now);

/// grant(), for a client. With `key` the token is handed on to it in one more, as a session, for which the caller
/// needs that authority too.
/// \return the chain, root first
[[nodiscard]] Result<std::vector<std::string>> token_by_credentials(Office& office,
                                                                    const CallContext& context,
                                                                    const api::CreateGrant& message,
                                                                    const std::optional<Thumbprint>& key);

/// delegate(), likewise.
[[nodiscard]] Result<std::vector<std::string>> token_by_exchange(Office& office, const CallContext& context,
                                                                 const api::CreateDelegation& message,
                                                                 const std::optional<Thumbprint>& key);

/// Whether a token is good now (RFC 7662). Of a single token that is not a root, this daemon's records give the
/// tokens before it.
/// \param text  a chain in text form, or one token
/// \return its chain; none when it is not good, for whatever reason; kForbidden, the store's errors
[[nodiscard]] Result<std::optional<VerifiedChain>> introspect(Office& office, const CallContext& context,
                                                              std::string_view text);

/// Ends a token and all that was delegated from it (RFC 7009), for whoever holds it, or has authority to revoke it.
/// What is no token of this daemon's is passed over: then there is nothing to end (section 2.2).
/// \param context  of a client
/// \param text  a chain in text form, whose last token is meant, or one token
/// \return kForbidden, the store's errors
[[nodiscard]] Status revoke_token(Office& office, const CallContext& context, std::string_view text);

}  // namespace chancery::service
