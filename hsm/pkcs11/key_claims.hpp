#pragma once

#include <optional>

#include "attest/evidence/key_claims.hpp"
#include "hsm/pkcs11/key_attributes.hpp"

namespace chancery::hsm {

constexpr std::size_t kMostCertificates = 8;
constexpr std::size_t kLargestCertificate = 8 * 1024;

/// What a private key says of itself. What the token does not know is not claimed.
[[nodiscard]] Result<attest::KeyClaims> read_claims(const TokenObject& key);

/// The value of a certificate object; nothing for one that is larger than kLargestCertificate, or has its value
/// elsewhere.
[[nodiscard]] Result<std::optional<Bytes>> read_certificate(const TokenObject& certificate);

}  // namespace chancery::hsm
