#pragma once

#include <memory>

#include <chancery/bytes.hpp>
#include <chancery/keys.hpp>
#include <chancery/result.hpp>

namespace chancery {

/// A private key in this process's memory: of tests, of operators, and of sessions. An agent's own key is never
/// one of these. Move-only.
class SigningKey {
 public:
  [[nodiscard]] static Result<SigningKey> generate(Algorithm algorithm);

  /// Reads PKCS #8 in PEM, unencrypted. \return kInvalidKey, kUnsupportedAlgorithm
  [[nodiscard]] static Result<SigningKey> from_pem(ByteView pem);
  /// The same, to be kept.
  [[nodiscard]] Result<SecretBytes> pem() const;

  [[nodiscard]] const PublicKey& public_key() const noexcept { return public_key_; }

  /// \return the signature over `message` as it stands in a JWS, or kCryptoFailure
  [[nodiscard]] Result<Signature> sign(ByteView message) const;

 private:
  SigningKey(std::shared_ptr<void> key, const PublicKey& public_key)
      : key_(std::move(key)), public_key_(public_key) {}

  std::shared_ptr<void> key_;  // EVP_PKEY
  PublicKey public_key_;
};

}  // namespace chancery
