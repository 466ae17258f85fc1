#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/token.hpp>
#include <chancery/verify.hpp>

#include "sdk/crypto/signing_key.hpp"

namespace chancery::tests {

inline constexpr std::chrono::sys_seconds kIssuedNow{std::chrono::seconds{1800000000}};

/// Claims of a root token for that holder: `ledger.*`, one hour, up to sixteen tokens.
[[nodiscard]] Claims root_claims(const PublicKey& holder);

/// Claims of a child with all of its parent's authority.
[[nodiscard]] Claims child_claims(const Token& parent, const PublicKey& holder);

/// The signed token; `jwk` stands in its header when the signer is a holder.
[[nodiscard]] std::string sign_token(const Claims& claims, const SigningKey& signer, bool by_holder);

/// A chain and all keys behind it: `keys[0]` is the issuer's, `keys[i + 1]` the holder's of token i.
struct IssuedChain {
  std::vector<SigningKey> keys;
  std::vector<std::string> tokens;

  [[nodiscard]] std::vector<std::string_view> views() const { return {tokens.begin(), tokens.end()}; }
  [[nodiscard]] TrustSnapshot trust() const;
  [[nodiscard]] Token leaf() const { return Token::parse(tokens.back()).value(); }
  [[nodiscard]] const SigningKey& leaf_key() const { return keys.back(); }
  /// Appends a token signed by the leaf's holder.
  void extend(const Claims& claims, SigningKey holder);
};

[[nodiscard]] IssuedChain issue_chain(std::size_t tokens, Algorithm algorithm = Algorithm::kES256);
/// A chain of one token that says this.
[[nodiscard]] IssuedChain issue_root(Claims claims, Algorithm algorithm = Algorithm::kES256);

}  // namespace chancery::tests
