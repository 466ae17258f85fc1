#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/cli/failure.hpp"
#include "sdk/crypto/verify_key.hpp"

namespace chancery::cli {

inline constexpr const char* kNoKnownKey = "holds no key of a type that Chancery knows";

/// The keys of a JWK Set, which an argument names: a file, or `-`.
/// \return at least one key; kFileUnreadable, kMalformed, kInvalidKey, kNoTrust
[[nodiscard]] Checked<std::vector<VerifyKey>> read_verify_keys(const std::string& file);

/// \param source  what a key that is none is said to stand in
[[nodiscard]] Checked<std::vector<VerifyKey>> verify_keys(std::span<const PublicKey> keys,
                                                          std::string_view source);

}  // namespace chancery::cli
