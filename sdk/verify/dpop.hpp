#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <chancery/verify.hpp>

namespace chancery {

/// Which check of a proof failed, and what it met.
struct ProofFailure {
  const char* reason = "";
  std::string expected;
  std::string found;
};

/// Checks a DPoP proof (RFC 9449 section 4.3) for one request: header, key, signature, `htm`, `htu`, `iat`,
/// nonce, `ath`, `jti`. The seen-`jti` test runs last, when everything else holds.
/// \param leaf  the token that the proof must be bound to: its `cnf.jkt`, its compact form's hash
/// \return what failed, or nullopt
[[nodiscard]] std::optional<ProofFailure> check_proof(const ActionRequest& request, const Token& leaf,
                                                      std::chrono::sys_seconds now,
                                                      const VerifyOptions& options);

/// Claims of a proof to be made.
struct ProofClaims {
  std::string htm;
  std::string htu;
  std::string jti;
  std::optional<std::string> nonce;
};

/// The signing input of a proof for `leaf_compact` by `holder`; append "." and the signature in base64url.
[[nodiscard]] std::string proof_signing_input(const ProofClaims& claims, std::string_view leaf_compact,
                                              const PublicKey& holder, std::chrono::sys_seconds now);

}  // namespace chancery
