#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/verify.hpp>

namespace chancery::rest {

/// The token endpoint's answer (RFC 6749 section 5.1) with the chain's last token as access token, and the chain as
/// `delegation_chain`.
/// \param chain  that was just issued
/// \param issued_token_type  of an exchange (RFC 8693 section 2.2.1); empty otherwise
[[nodiscard]] std::string write_tokens(const std::vector<std::string>& chain, std::chrono::sys_seconds now,
                                       std::string_view issued_token_type);

/// The introspection endpoint's answer (RFC 7662 section 2.2, RFC 9396 section 9.2): the claims of the last token, and
/// as `aud` whom every token names. A chain that leaves nobody in common is of use nowhere, and inactive.
[[nodiscard]] std::string write_introspection(const std::optional<VerifiedChain>& chain);

}  // namespace chancery::rest
