#pragma once

#include <string>
#include <string_view>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

namespace chancery {

/// Base64 with padding (RFC 4648 section 4).
[[nodiscard]] std::string base64_encode(ByteView octets);

/// Reads the same, as strictly as base64url_decode(). \return the octets, or kMalformed
[[nodiscard]] Result<Bytes> base64_decode(std::string_view text);

/// The same for a secret, which is decoded into memory for secrets and nowhere else.
[[nodiscard]] Result<SecretBytes> base64_decode_secret(std::string_view text);

}  // namespace chancery
