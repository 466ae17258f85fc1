#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <chancery/verify.hpp>

#include "sdk/crypto/verify_key.hpp"
#include "sdk/verify/attestation_result.hpp"
#include "sdk/verify/signed_by.hpp"

namespace chancery {

/// A chain that has passed steps 1 to 5, and what was given with it.
struct CustodyCase {
  std::span<const std::shared_ptr<const Token>> tokens;
  std::span<const SignedBy> signers;
  std::span<const VerifyKey> verifiers;  ///< of the anchor that the chain is rooted in
  std::chrono::sys_seconds now{};
  const VerifyOptions& options;
};

/// What is proved of where the chain's keys live.
struct ChainCustody {
  std::vector<HopCustody> hops;
  std::vector<IgnoredResult> ignored;
  std::optional<Denial> denial;  ///< of the first token whose key does not meet what the options require
};

/// Whether the options have anything to do with custody.
[[nodiscard]] bool concerns_custody(const VerifyOptions& options) noexcept;

/// The custody check of docs/protocol/verification.md.
[[nodiscard]] ChainCustody judge_custody(const CustodyCase& chain);

/// A result's claims as a verdict has them.
[[nodiscard]] HopCustody vouched_custody(const AttestationResult& result);

}  // namespace chancery
