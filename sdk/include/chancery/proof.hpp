#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <chancery/keys.hpp>
#include <chancery/result.hpp>
#include <chancery/verify.hpp>

namespace chancery {

/// What a DPoP proof (RFC 9449) says of the request that it is made for.
struct ProofClaims {
  std::string htm;                     ///< the request's method
  std::string htu;                     ///< its absolute http(s) URI
  std::string jti;                     ///< fresh and random; not empty
  std::optional<std::string> nonce{};  ///< the one that the server demanded
  std::optional<std::string> ada{};    ///< action_digest() of the one action that the proof is good for
};

/// Names an action, so that a proof can be bound to it: the base64url SHA-256 of `{"params": …, "scope": …}` in JCS.
/// \return the digest, 43 characters, or kNonFinite for a parameter that has no canonical form
[[nodiscard]] Result<std::string> action_digest(std::string_view scope, const Parameters& parameters);

/// A proof that waits for its signature, by a key in hardware or in memory.
class UnsignedProof {
 public:
  /// \param leaf  the chain's last token in compact form, for `ath`
  /// \param holder  the key that will sign: the one of the leaf's `cnf.jkt`
  /// \param now  for `iat`
  /// \return the proof, or kInvalidArgument for claims that no server would accept
  [[nodiscard]] static Result<UnsignedProof> encode(const ProofClaims& claims, std::string_view leaf,
                                                    const PublicKey& holder, std::chrono::sys_seconds now);

  /// The octets to sign: header and payload, base64url, with a dot between.
  [[nodiscard]] const std::string& signing_input() const noexcept { return signing_input_; }
  /// The compact `dpop+jwt` with that signature.
  [[nodiscard]] std::string with(const Signature& signature) const;

 private:
  std::string signing_input_;
};

}  // namespace chancery
