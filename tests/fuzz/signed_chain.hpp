#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <chancery/trust.hpp>

#include "sdk/crypto/signing_key.hpp"

namespace chancery::fuzz {

/// Keys of the hops that a fuzz input may sign with: hop 0 by the anchor, hop i by the holder of hop i - 1.
/// Ed25519, since a fuzzer wants many signatures.
struct HopKeys {
  HopKeys();
  std::vector<SigningKey> signers;  ///< of hop 0, 1, …; the holder of hop i is the signer of hop i + 1
  TrustSnapshot trust;              ///< of the first signer
};
[[nodiscard]] const HopKeys& hop_keys();

/// `text` with each `mark` replaced.
[[nodiscard]] std::string filled(std::string text, std::string_view mark, std::string_view with);

/// Signs a header and a payload, both JSON or anything else.
[[nodiscard]] std::string signed_jws(std::string_view header, std::string_view payload,
                                     const SigningKey& key);

/// Signs one payload a line as a chain, root first. `@JKT` stands for the holder's thumbprint and `@PAR` for
/// the parent's hash, so that an input means the same under every key.
[[nodiscard]] std::vector<std::string> signed_chain(std::string_view lines);

/// Divides at line ends.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

}  // namespace chancery::fuzz
