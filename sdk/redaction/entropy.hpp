#pragma once

#include <string_view>
#include <vector>

#include "sdk/redaction/hit.hpp"

namespace chancery::redaction {

/// Adds the tokens of `text` that are as good as random: at least 20 characters of base64 or base64url whose letters, by
/// Shannon's measure, say nearly as much as they could, with capitals, small letters and digits, or 32 hexadecimal digits.
///
/// Left out, since logs and code are full of them: UUIDs; hashes, thumbprints, ids and checksums that are called so or
/// stand in front of a file's name; public keys and certificates; images in `data:` URLs; paths, identifiers and words;
/// what has more than 400 characters. A guess: whoever needs certainty tells KnownSecrets.
///
/// Looks at no more than kEntropyContext octets around a token.
void find_random_tokens(std::string_view text, std::vector<Hit>& out);

/// Whether a member of a JSON object with this name holds a hash, an id or a thumbprint: there a random token is no secret.
[[nodiscard]] bool names_hash(std::string_view name);

inline constexpr std::size_t kEntropyContext = 512;

/// Shannon's measure over the octets of a text: bits for each of them.
[[nodiscard]] double bits_per_octet(std::string_view text);

}  // namespace chancery::redaction
