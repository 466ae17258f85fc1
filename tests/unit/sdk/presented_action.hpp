#pragma once

#include <string>
#include <string_view>

#include <chancery/proof.hpp>
#include <chancery/verify.hpp>

#include "tests/unit/sdk/issued_chain.hpp"

namespace chancery::tests {

inline constexpr const char* kActionUri = "https://ledger.example.net/rows";

/// A proof by the chain's last holder, made at kIssuedNow.
[[nodiscard]] std::string sign_proof(const IssuedChain& chain, const ProofClaims& claims);
/// One for POST to kActionUri.
[[nodiscard]] std::string proof_for(const IssuedChain& chain, std::string_view jti = "p-1");

/// `ledger.pay` of 100 with its proof, which was never seen before: within what issue_chain() grants.
[[nodiscard]] ActionRequest action_for(const IssuedChain& chain);

/// The verdict at kIssuedNow. \param options  `request` is replaced
[[nodiscard]] Verdict verify_action(const IssuedChain& chain, const ActionRequest& request,
                                    VerifyOptions options = {});

}  // namespace chancery::tests
