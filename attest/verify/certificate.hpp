#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/x509.h>

#include <chancery/bytes.hpp>

#include "attest/evidence/public_area.hpp"
#include "attest/evidence/refusal.hpp"
#include "sdk/crypto/openssl_handles.hpp"

namespace chancery::attest {

/// An X.509 certificate that could be read. Nothing about it is verified. Copies share it.
class Certificate {
 public:
  /// DER, and behind it nothing but the octets 0x00 or 0xFF: certificates in a TPM's NV memory are padded.
  /// \return the certificate, or kCertParse
  [[nodiscard]] static Judged<Certificate> parse(ByteView der);

  /// The key, also one that says of itself id-RSAES-OAEP, as older EK certificates do (RFC 4055, 4.1).
  /// \return the key, or kCertParse
  [[nodiscard]] Judged<openssl::Pkey> key() const;
  /// SHA-256 of the DER without its padding.
  [[nodiscard]] Sha256Digest fingerprint() const;
  [[nodiscard]] X509& x509() const noexcept { return *x509_; }

 private:
  explicit Certificate(std::shared_ptr<X509> x509) : x509_(std::move(x509)) {}
  std::shared_ptr<X509> x509_;
};

/// Reads a file's content: one certificate in DER, or any number in PEM, with text between them as Linux distributions
/// and vendors have it.
/// \return the certificates, one at least; kMalformed for anything else in a PEM block, such as a private key, and for
///         a block or DER that is no certificate
[[nodiscard]] Result<std::vector<Certificate>> read_certificates(std::string_view pem_or_der);

/// Where a certificate may lead, and when that is judged.
struct CertificatePath {
  std::vector<Certificate> intermediates;  ///< as presented, in any order
  std::vector<Certificate> roots;          ///< trusted as they are, self-signed or not
  std::chrono::sys_seconds at{};
};

/// Whether a certificate leads to a root through CAs, and everything on the way is valid at that time. Unknown
/// critical extensions are refused; no purpose and no strength of the CAs' own signatures is asked for.
/// \return kChain, kTime
[[nodiscard]] Judged<void> check_path(const Certificate& leaf, const CertificatePath& path);

/// Whether everything critical in a certificate is known here. check_path() refuses what is not too, as kChain.
/// \return kCriticalExtension
[[nodiscard]] Judged<void> check_critical_extensions(const Certificate& certificate);

/// What an EK's certificate says the TPM is (TCG EK Credential Profile, 3.2.9): texts as they stand there.
struct TpmIdentity {
  std::string manufacturer;  ///< "id:" and four octets in hexadecimal
  std::string model;
  std::string version;
};

/// Whether a certificate is for that key. \return kKeyMismatch, or kCertParse when its key is of no known kind
[[nodiscard]] Judged<void> check_certified_key(const Certificate& certificate, const PublicArea& key);

/// Judges an EK's certificate (TCG EK Credential Profile 2.5) in this order: its path (kChain, kTime), that it is no
/// CA's (kIsCa), for an EK (kNotEk), with the key usage of one (kKeyUsage), and for this EK (kKeyMismatch).
/// \param ek  nullptr: whose it is, is not judged
[[nodiscard]] Judged<void> check_ek_certificate(const Certificate& leaf, const CertificatePath& path,
                                                const PublicArea* ek);

/// Empty texts where the certificate says nothing.
[[nodiscard]] TpmIdentity tpm_identity(const Certificate& certificate);

}  // namespace chancery::attest
