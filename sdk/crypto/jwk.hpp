#pragma once

#include <chancery/keys.hpp>
#include <chancery/result.hpp>

#include "sdk/json/reader.hpp"

namespace chancery {

/// Reads a public JWK that stands inside another document (a JWS header, a key set), by the rules of
/// parse_jwk but one: whether the point is on its curve is left to the first use of the key, since
/// verify_signature and VerifyKey::from check it anyway.
/// \return the key, or kInvalidKey, kUnsupportedAlgorithm
[[nodiscard]] Result<PublicKey> public_key_from_jwk(const json::Value& jwk);

/// The keys of a JWK Set's `keys` that may verify. Those for another use, or of a type that Chancery does not
/// know, are left out (RFC 7517 section 5); one that is broken is an error.
[[nodiscard]] Result<std::vector<PublicKey>> read_key_set(const json::Value& keys);
/// The same of a whole JWK Set, a JSON text.
[[nodiscard]] Result<std::vector<PublicKey>> parse_key_set(std::string_view json);

}  // namespace chancery
