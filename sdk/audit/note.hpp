#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/keys.hpp>
#include <chancery/result.hpp>

namespace chancery::audit {

// Signed notes (C2SP signed-note) with signatures of type 0x02: ECDSA P-256 over SHA-256, in DER.

/// The first octets of the SHA-256 of the key's SubjectPublicKeyInfo in DER. Only a hint: keys may share it.
using NoteKeyId = std::array<std::uint8_t, 4>;

/// A key whose signatures on notes count, under the name that it signs with.
struct NoteKey {
  std::string name;  ///< not empty, without spaces and `+`
  PublicKey key;     ///< ES256
  bool operator==(const NoteKey&) const = default;
};

/// \return the id; kUnsupportedAlgorithm unless the key is for ES256
[[nodiscard]] Result<NoteKeyId> note_key_id(const PublicKey& key);

/// The key as others take it: NAME+HEX(KEY ID)+BASE64(0x02 ‖ SubjectPublicKeyInfo).
/// \return the text; kInvalidArgument for a name that cannot stand in a note; kUnsupportedAlgorithm
[[nodiscard]] Result<std::string> verifier_key(const NoteKey& key);

/// Reads that. \return kMalformed, kUnsupportedAlgorithm, kInvalidKey
[[nodiscard]] Result<NoteKey> parse_verifier_key(std::string_view text);

/// Whether text may be signed as a note: not empty, UTF-8, no control characters but line feeds, one of these at its end.
[[nodiscard]] bool may_be_noted(std::string_view text) noexcept;

/// The line that a signature adds to a note.
/// \param signature  over the text, as it stands in a JWS (r‖s)
/// \return the line with its line feed; errors as verifier_key()
[[nodiscard]] Result<std::string> signature_line(const NoteKey& key, const Signature& signature);

/// Takes a note apart and checks it. Signatures by keys that nobody named are passed over.
/// \param note  at most 64 KiB, with at most 64 signatures
/// \return the text, borrowed from `note`; kMalformed; kSignatureInvalid when a signature by one of `keys` does not
///         verify, or there is none by any
[[nodiscard]] Result<std::string_view> open_note(std::string_view note, std::span<const NoteKey> keys);

}  // namespace chancery::audit
