#pragma once

#include <memory>

#include <chancery/keys.hpp>
#include <chancery/result.hpp>

namespace chancery {

/// A private key in this process's memory: for tests, and for keys that are meant to be short-lived. An
/// agent's own key is never one of these. Move-only; the private part cannot be read out.
class SigningKey {
 public:
  [[nodiscard]] static Result<SigningKey> generate(Algorithm algorithm);

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
