#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sdk/verify/attestation_result.hpp"
#include "tests/unit/sdk/issued_chain.hpp"

namespace chancery::tests {

/// A good result about a key that a vendor's TPM holds; issued a minute before kIssuedNow, for an hour.
[[nodiscard]] AttestationResult result_about(const Thumbprint& key);
[[nodiscard]] std::string sign_result(const AttestationResult& result, const SigningKey& verifier);

/// A chain, an attestation verifier that its anchor names, and one result about each holder's key, root first.
struct VouchedChain {
  IssuedChain chain;
  SigningKey verifier;
  std::vector<AttestationResult> results;

  /// The anchor of the chain, with its verifier.
  [[nodiscard]] TrustAnchor anchor() const;
  [[nodiscard]] TrustSnapshot trust() const;
  [[nodiscard]] std::vector<std::string> signed_results() const;
};

[[nodiscard]] VouchedChain vouched_chain(std::size_t tokens);

[[nodiscard]] inline std::vector<std::string_view> views(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

}  // namespace chancery::tests
