#pragma once

#include <memory>

#include <chancery/keys.hpp>
#include <chancery/result.hpp>

namespace chancery {

/// Verifies one signature under one public key: the only way in which this code base judges signatures.
///
/// ES256 (RFC 7518 section 3.4): raw r‖s of exactly 64 octets, r and s not zero and below the order, high s
/// accepted. Ed25519 (RFC 8032). Success is OpenSSL's exact 1; anything else is "no". Thread-safe.
/// \param digest   SHA-256 of the message; used by ES256
/// \param message  the message itself; used by Ed25519
/// \return whether it verifies; also false when the key is no point of its curve
[[nodiscard]] bool verify_signature(const PublicKey& key, const Sha256Digest& digest, ByteView message,
                                    ByteView signature) noexcept;

/// kInvalidKey for a P-256 key whose point is not on the curve. 32 octets that are no Ed25519 point pass, and verify
/// nothing. Thread-safe.
[[nodiscard]] Status check_point(const PublicKey& key) noexcept;

/// A public key that OpenSSL has parsed, which passes check_point(). A value; copies share the parsed key.
class VerifyKey {
 public:
  /// \return the key, or kInvalidKey
  [[nodiscard]] static Result<VerifyKey> from(const PublicKey& key);

  [[nodiscard]] const PublicKey& public_key() const noexcept { return key_; }
  [[nodiscard]] const Thumbprint& thumbprint() const noexcept { return thumbprint_; }

  [[nodiscard]] bool verify(ByteView message, ByteView signature) const noexcept;
  /// The same, when the message's SHA-256 is known already.
  [[nodiscard]] bool verify(const Sha256Digest& digest, ByteView message, ByteView signature) const noexcept;

 private:
  VerifyKey(const PublicKey& key, std::shared_ptr<void> parsed);

  PublicKey key_;
  Thumbprint thumbprint_;
  std::shared_ptr<void> parsed_;  // EVP_PKEY; behind void so that includers need no OpenSSL
};

}  // namespace chancery
