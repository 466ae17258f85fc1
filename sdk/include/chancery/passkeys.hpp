#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/keys.hpp>
#include <chancery/result.hpp>

namespace chancery {

// Passkeys (WebAuthn Level 2) as far as approvals need them: ES256, and a user who was there and was verified. Everything
// here is pure: challenges are made, kept and spent by whoever asks for them.

/// Whom a passkey answers: the RP id that it was made for, and the origins of the pages that may ask it.
struct RelyingParty {
  std::string id;  ///< a domain, "localhost"
  std::vector<std::string>
      origins;  ///< as browsers write them, "https://localhost:8443"; compared octet by octet
};

/// What `navigator.credentials.get()` gives. The members of its JSON form have the same names as in `response`.
struct PasskeyAssertion {
  Bytes authenticator_data;
  std::string client_data;  ///< JSON, as it was signed
  Bytes signature;          ///< DER
};

/// What an authenticator says of itself as it signs.
struct PasskeyUse {
  std::uint32_t counter = 0;  ///< 0: it counts nothing, as passkeys that are copied between devices do
  bool is_backed_up = false;  ///< the key is kept on other devices too, by its own word
};

/// Reads `{"authenticatorData", "clientDataJSON", "signature"}`, each base64url and nothing else beside them.
/// \return the assertion, nothing of it verified; kMalformed, kDuplicateMember, kTooLarge (16 KiB)
[[nodiscard]] Result<PasskeyAssertion> read_passkey_assertion(std::string_view json);
/// The same object in JCS.
[[nodiscard]] std::string passkey_assertion_json(const PasskeyAssertion& assertion);

/// Verifies an assertion (WebAuthn Level 2, section 7.2): type, challenge, origin, no frame of another origin, no token
/// binding, RP id, user present, user verified, no credential in it, signature.
///
/// Which credential the user may answer with, and what a counter that went back means, is the caller's to judge.
/// \param challenge  what was asked to be signed; of the caller's own, and good for one answer
/// \param key  of the credential, as it was enrolled
/// \return kMalformed (it is no assertion), kUnsupportedAlgorithm (the key is not P-256), kProofRefused (which of
///         the conditions does not hold), kSignatureInvalid
[[nodiscard]] Result<PasskeyUse> verify_passkey_assertion(const PasskeyAssertion& assertion,
                                                          ByteView challenge, const PublicKey& key,
                                                          const RelyingParty& party);

/// The same but for RP id and origin: an answer to this challenge by this key and its verified user, for whichever party. It tells what was
/// signed for another party from what was never signed; it is no ground to accept anything.
[[nodiscard]] Result<PasskeyUse> verify_passkey_signature(const PasskeyAssertion& assertion,
                                                          ByteView challenge, const PublicKey& key);

/// What `navigator.credentials.create()` gives: `rawId`, `response.getAuthenticatorData()` and
/// `response.clientDataJSON`. The attestation is not asked for (`"none"`).
struct PasskeyRegistration {
  Bytes credential_id;
  Bytes authenticator_data;
  std::string client_data;  ///< JSON
};

/// A passkey as it is enrolled.
struct Passkey {
  PublicKey key;
  std::string credential_id;  ///< base64url
  PasskeyUse use;
};

/// Reads `{"authenticatorData", "clientDataJSON", "id"}`, each base64url and nothing else beside them.
/// \return the registration, nothing of it checked; kMalformed, kDuplicateMember, kTooLarge (16 KiB)
[[nodiscard]] Result<PasskeyRegistration> read_passkey_registration(std::string_view json);

/// Checks a registration (WebAuthn Level 2, section 7.1) and takes the credential's public key from its
/// authenticator data: by the one encoding that an ES256 key has there, so that no CBOR is parsed.
/// \param challenge  what was asked to be answered; of the caller's own, and good for one answer
/// \return the passkey; kMalformed (it is no registration), kUnsupportedAlgorithm (its key is not ES256), kInvalidKey
///         (no point on the curve), kProofRefused (which of the conditions does not hold)
[[nodiscard]] Result<Passkey> check_passkey_registration(const PasskeyRegistration& registration,
                                                         ByteView challenge, const RelyingParty& party);

}  // namespace chancery
