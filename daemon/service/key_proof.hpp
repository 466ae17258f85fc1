#pragma once

#include <string>
#include <string_view>

#include "daemon/service/office.hpp"
#include "sdk/verify/dpop.hpp"

namespace chancery::service {

// Proofs of possession that this daemon asks for itself.

/// The nonce that a proof carries, if it is one of this daemon's; kNonceRequired.
[[nodiscard]] Result<std::string> require_nonce(const Nonces& nonces, const std::string& proof,
                                                std::chrono::sys_seconds now);

/// When a proof is accepted no more, whatever second within its window the `iat` names.
[[nodiscard]] std::chrono::sys_seconds expiry_of(const DpopPresentation& dpop, std::chrono::sys_seconds now);

/// Sees to it that a proof, of which everything else holds, counts once.
/// \return kProofRefused when it was used before, kOverloaded when this key has used too many of late; the
///         store's errors
[[nodiscard]] Status require_first_use(Office& office, const Thumbprint& key, std::string_view jti,
                                       const DpopPresentation& dpop, std::chrono::sys_seconds now);

/// A proof by a key that is not known yet, and what it must be for.
struct NewKeyProof {
  std::string proof;
  std::string_view path;  ///< that was called, under one of the daemon's public URLs, by POST
  std::optional<std::string_view> bound_to{};  ///< what `ath` is the hash of; none: there is no token yet
  std::optional<std::string> nonce{};          ///< that it must carry
};

/// Finds out which key a proof is by. Whether it was used before is not asked. kProofRefused.
[[nodiscard]] Result<ProvedKey> find_new_key(const Office& office, const NewKeyProof& presented,
                                             std::chrono::sys_seconds now);

}  // namespace chancery::service
