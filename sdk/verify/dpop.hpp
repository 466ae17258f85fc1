#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <chancery/verify.hpp>

namespace chancery {

/// Which check of a proof failed, and what it met.
struct ProofFailure {
  const char* reason = "";
  std::string expected;
  std::string found;
};

/// Checks a DPoP proof (RFC 9449 section 4.3) for one request: header, key, signature, `htm`, `htu`, `iat`,
/// nonce, `ath`, `ada`, `jti`. The seen-`jti` test runs last, when everything else holds.
/// \param leaf  the token that the proof must be bound to: its `cnf.jkt`, its compact form's hash
/// \return what failed, or nullopt
[[nodiscard]] std::optional<ProofFailure> check_proof(const ActionRequest& request, const Token& leaf,
                                                      std::chrono::sys_seconds now,
                                                      const VerifyOptions& options);

/// A key that a proof shows, and by which name the proof is known.
struct ProvedKey {
  PublicKey key;
  std::string jti;
};

/// Checks a proof by a key that is not known yet: the same, but for the holder. Whether it was seen is the
/// caller's to ask.
/// \param bound_to  what `ath` is the hash of; none: the proof comes before any token (RFC 9449 section 5)
/// \return the key, or kProofRefused
[[nodiscard]] Result<ProvedKey> check_new_key(const DpopPresentation& dpop,
                                              std::optional<std::string_view> bound_to,
                                              std::chrono::sys_seconds now, const VerifyOptions& options);

/// `ath` of a token: the base64url SHA-256 of its compact form.
[[nodiscard]] std::string access_token_hash(std::string_view compact);

}  // namespace chancery
