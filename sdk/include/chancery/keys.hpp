#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

namespace chancery {

/// Fully-specified signature algorithms (RFC 9864). A key has exactly one, given by its type.
enum class Algorithm : std::uint8_t {
  kES256,    ///< ECDSA, P-256, SHA-256; signature is raw r‖s, 64 octets
  kEd25519,  ///< Ed25519; signature is 64 octets
};

[[nodiscard]] std::string_view algorithm_name(Algorithm algorithm) noexcept;

/// Exactly "ES256" or "Ed25519"; the polymorphic "EdDSA" is none.
[[nodiscard]] std::optional<Algorithm> algorithm_from_name(std::string_view name) noexcept;

/// RFC 7638 SHA-256 thumbprint of a public key: `cnf.jkt` and `kid` in base64url.
struct Thumbprint {
  Sha256Digest octets{};
  [[nodiscard]] std::string text() const;  ///< base64url, 43 characters
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees a pointer in a defaulted comparison
  auto operator<=>(const Thumbprint&) const = default;
};

/// An ES256 or Ed25519 signature as it stands in a JWS.
using Signature = std::array<std::uint8_t, 64>;

/// A public key as plain octets. Being one says nothing about the point being on the curve: VerifyKey
/// (sdk/crypto) checks that before a key is ever used.
class PublicKey {
 public:
  /// \param x,y affine coordinates, big endian
  [[nodiscard]] static PublicKey p256(const std::array<std::uint8_t, 32>& x,
                                      const std::array<std::uint8_t, 32>& y) noexcept;
  [[nodiscard]] static PublicKey ed25519(const std::array<std::uint8_t, 32>& x) noexcept;

  [[nodiscard]] Algorithm algorithm() const noexcept { return algorithm_; }
  [[nodiscard]] ByteView x() const noexcept { return {octets_.data(), 32}; }
  [[nodiscard]] ByteView y() const noexcept { return {octets_.data() + 32, 32}; }  ///< zeros for Ed25519

  /// The JWK with its required members only, in JCS: the thumbprint's input and our header's `jwk`.
  [[nodiscard]] std::string jwk() const;
  [[nodiscard]] Thumbprint thumbprint() const;

  bool operator==(const PublicKey&) const = default;

 private:
  Algorithm algorithm_ = Algorithm::kES256;
  std::array<std::uint8_t, 64> octets_{};
};

/// Reads a public JWK (RFC 7517, 8037) from JSON text: public members only, canonical base64url,
/// full-length coordinates on the curve; `alg`, `use` and `key_ops`, when present, must allow verification.
/// \return the key, or kMalformed, kInvalidKey, kUnsupportedAlgorithm
[[nodiscard]] Result<PublicKey> parse_jwk(std::string_view json);

}  // namespace chancery
