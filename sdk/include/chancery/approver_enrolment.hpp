#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/keys.hpp>
#include <chancery/passkeys.hpp>
#include <chancery/result.hpp>

namespace chancery {

// Who may decide, and with which keys (docs/protocol/decisions.md). Pure.

/// A key that becomes an approver's.
struct Enrolment {
  std::string
      principal;  ///< "user:bob@example.org": KIND:NAME of at most 256 octets without space, none of `group:`
  std::vector<std::string> groups;  ///< names, in ascending order, none twice; at most 32
  PublicKey key;
  std::string kind;           ///< "file", "tpm", "pkcs11", "passkey"; the last is P-256
  std::string credential_id;  ///< of a passkey, base64url; empty for every other
  std::string replaces;       ///< thumbprint of the key that ends with this one; empty: none does
  bool operator==(const Enrolment&) const = default;
};

/// A key that ends.
struct KeyRevocation {
  std::string principal;
  Thumbprint key;
  bool operator==(const KeyRevocation&) const = default;
};

/// The document in JCS, `typ` "chancery-approver-enrolment". Whether it is one, read_enrolment() says of it.
[[nodiscard]] std::string enrolment_document(const Enrolment& enrolment);
/// \return kMalformed, kNonCanonical, kDuplicateMember, kInvalidKey, kUnsupportedAlgorithm, kTooLarge (16 KiB)
[[nodiscard]] Result<Enrolment> read_enrolment(std::string_view jcs);

/// The document in JCS, `typ` "chancery-approver-revocation".
[[nodiscard]] std::string key_revocation_document(const KeyRevocation& revocation);
/// \return kMalformed, kNonCanonical, kDuplicateMember, kTooLarge (16 KiB)
[[nodiscard]] Result<KeyRevocation> read_key_revocation(std::string_view jcs);

/// What an approver who is enrolled says of one of these documents: it shall be so. A JWS, `typ`
/// "chancery-enrolment+jwt", over the SHA-256 of the document.
struct EnrolmentAuthorization {
  std::string approver;         ///< `iss`
  std::string audience;         ///< `aud`: the daemon's issuer, so that no other daemon can use it
  std::string document_sha256;  ///< 64 hexadecimal digits
  std::chrono::sys_seconds issued_at{};
  Thumbprint key;           ///< `kid`
  bool by_passkey = false;  ///< `alg` is chancery-webauthn-es256
  bool operator==(const EnrolmentAuthorization&) const = default;
};

/// The JWS signing input. \param algorithm  of the key; ES256 for a passkey
[[nodiscard]] std::string enrolment_authorization_input(const EnrolmentAuthorization& authorization,
                                                        Algorithm algorithm);

/// Reads the shape alone; nothing is verified.
/// \return kMalformed, kNonCanonical, kDuplicateMember, kUnsupportedAlgorithm, kTooLarge (16 KiB)
[[nodiscard]] Result<EnrolmentAuthorization> read_enrolment_authorization(std::string_view jws);

/// Whether `key` signed it. Audience, document, times, and whether the approver may, are the caller's to judge.
/// \param passkeys  none: no passkey is accepted
/// \return what read_enrolment_authorization() and verify_passkey_assertion() say; kSignatureInvalid, kUnsupportedAlgorithm
[[nodiscard]] Status verify_enrolment_authorization(std::string_view jws, const PublicKey& key,
                                                    const std::optional<RelyingParty>& passkeys);

}  // namespace chancery
