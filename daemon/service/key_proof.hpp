#pragma once

#include <string>
#include <string_view>

#include "daemon/service/office.hpp"

namespace chancery::service {

/// A DPoP proof by a key that is not known yet, and what it must be for.
struct NewKeyProof {
  std::string proof;
  std::string_view path;      ///< that was called, under one of the daemon's public URLs, by POST
  std::string_view bound_to;  ///< what `ath` is the hash of
  bool wants_nonce = false;   ///< one of this daemon's
};

/// Finds out which key a proof is by, and sees to it that it counts once.
/// \return the key's thumbprint; kNonceRequired, kProofRefused, kOverloaded, the store's errors
[[nodiscard]] Result<Thumbprint> require_new_key(Office& office, const NewKeyProof& presented,
                                                 std::chrono::sys_seconds now);

}  // namespace chancery::service
