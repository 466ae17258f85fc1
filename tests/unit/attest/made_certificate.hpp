#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <openssl/x509.h>

#include <chancery/keys.hpp>

#include "attest/verify/certificate.hpp"
#include "sdk/crypto/openssl_handles.hpp"

namespace chancery::tests {

/// When the tests' certificates are judged, and half of how long they are valid.
constexpr std::chrono::sys_seconds kNow{std::chrono::seconds{1'800'000'000}};
constexpr std::chrono::hours kWindow{24};

/// Name and value as openssl.cnf has them.
using Extensions = std::vector<std::pair<const char*, const char*>>;

/// A certificate, and the key that it is for.
struct MadeCertificate {
  openssl::Pkey key;  ///< P-256, unless it was given
  std::shared_ptr<X509> x509;

  [[nodiscard]] Bytes der() const;
  [[nodiscard]] std::string pem() const;
  [[nodiscard]] attest::Certificate parsed() const { return attest::Certificate::parse(der()).value(); }
};

struct CertificateWish {
  std::string name;
  Extensions extensions;
  std::chrono::sys_seconds from = kNow - kWindow;
  std::chrono::sys_seconds until = kNow + kWindow;
  EVP_PKEY* key = nullptr;  ///< that it is for, borrowed; nullptr: a new one
};

/// \param issuer  nullptr: it signs itself
[[nodiscard]] MadeCertificate make_certificate(const CertificateWish& wish, const MadeCertificate* issuer);
[[nodiscard]] MadeCertificate make_root(const std::string& name);
/// A CA below a root.
[[nodiscard]] MadeCertificate make_authority(const MadeCertificate& root);

/// P-256 or Ed25519, as OpenSSL and as Chancery have it.
[[nodiscard]] PublicKey public_key_of(EVP_PKEY* key);
[[nodiscard]] openssl::Pkey openssl_key_of(const PublicKey& key);

}  // namespace chancery::tests
