#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <chancery/custody.hpp>
#include <chancery/keys.hpp>

#include "sdk/cli/failure.hpp"
#include "sdk/verify/attestation_result.hpp"

namespace chancery::cli {

/// What is said of where an issuer's key lives.
struct RootCustody {
  Thumbprint key;
  std::optional<AttestationResult> said;  ///< nothing: nobody says anything
  /// A verifier that the user gave signed it, and it counts now. Otherwise it is whoever published it that says so.
  bool is_vouched = false;

  /// One sentence; escape it for a terminal.
  [[nodiscard]] std::string text() const;
};

/// Matches attestation results with the keys that they are about. What counts under a given verifier goes before what
/// does not.
/// \param verifiers  whom the user believes; keys that are not on their curve verify nothing
[[nodiscard]] std::vector<RootCustody> root_custody(std::span<const PublicKey> keys,
                                                    const std::vector<std::string>& results,
                                                    const std::vector<PublicKey>& verifiers,
                                                    std::chrono::sys_seconds now);

/// kNoTrust unless a verifier that the user gave vouches for each key as the requirement demands.
[[nodiscard]] Checked<void> require_root_custody(const std::vector<RootCustody>& roots,
                                                 CustodyRequirement requirement);

}  // namespace chancery::cli
