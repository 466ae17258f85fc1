#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <chancery/hop_custody.hpp>
#include <chancery/verify.hpp>

#include "sdk/verify/attestation_result.hpp"

namespace chancery {

/// Whose attestation results count, about which keys, and when.
struct ResultTerms {
  std::span<const VerifyKey> verifiers;
  std::span<const Thumbprint> keys;
  std::chrono::sys_seconds now{};
  VerificationCache* cache = nullptr;
  bool accept_es256 = true;
  bool accept_ed25519 = true;
};

/// Of the attestation results that somebody presents those that count: at most one for a key, the newest by `iat`, of
/// two of one instant the one whose evidence is newer, then the first. Whoever presents results can leave one out: how
/// long an old one counts its `exp` alone decides. A result that names no verifier (`kid`) does not count, nor more than
/// the first four about one key that name one: cost is one verification for each of those at most.
class CountingResults {
 public:
  CountingResults(std::span<const std::string_view> results, const ResultTerms& terms);

  /// nullptr: none counts.
  [[nodiscard]] const AttestationResult* find(const Thumbprint& key) const noexcept;
  /// All others, in the order in which they were given.
  [[nodiscard]] const std::vector<IgnoredResult>& ignored() const noexcept { return ignored_; }

 private:
  struct Counting {
    std::size_t index;
    std::shared_ptr<const SignedAttestationResult> result;
  };
  void keep_newest(Counting candidate);

  std::vector<Counting> counting_;
  std::vector<IgnoredResult> ignored_;
};

}  // namespace chancery
