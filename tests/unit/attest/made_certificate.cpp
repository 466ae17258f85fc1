#include "tests/unit/attest/made_certificate.hpp"

#include <atomic>
#include <stdexcept>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tests/unit/attest/made_evidence.hpp"

namespace chancery::tests {
namespace {

using Extension = std::unique_ptr<X509_EXTENSION, openssl::Deleter<X509_EXTENSION_free>>;

void must(bool done) {
  if (!done) throw std::runtime_error("the test's certificate cannot be made");
}

void name(X509_NAME* subject, const std::string& text) {
  if (text.empty()) return;  // as many EKs' certificates are
  must(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                  reinterpret_cast<const unsigned char*>(text.data()),
                                  static_cast<int>(text.size()), -1, 0) == 1);
}

}  // namespace

Bytes MadeCertificate::der() const {
  unsigned char* octets = nullptr;
  const int size = i2d_X509(x509.get(), &octets);
  must(size > 0);
  Bytes out(octets, octets + size);
  OPENSSL_free(octets);
  return out;
}

std::string MadeCertificate::pem() const {
  const openssl::Bio bio(BIO_new(BIO_s_mem()));
  must(PEM_write_bio_X509(bio.get(), x509.get()) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

MadeCertificate make_certificate(const CertificateWish& wish, const MadeCertificate* issuer) {
  static std::atomic<long> serial = 1;
  MadeCertificate made{make_p256_key(), std::shared_ptr<X509>(X509_new(), X509_free)};
  X509* const x509 = made.x509.get();
  must(X509_set_version(x509, X509_VERSION_3) == 1 &&
       ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++) == 1 &&
       ASN1_TIME_set(X509_getm_notBefore(x509), wish.from.time_since_epoch().count()) != nullptr &&
       ASN1_TIME_set(X509_getm_notAfter(x509), wish.until.time_since_epoch().count()) != nullptr &&
       X509_set_pubkey(x509, made.key.get()) == 1);
  name(X509_get_subject_name(x509), wish.name);
  const X509* const above = issuer != nullptr ? issuer->x509.get() : x509;
  must(X509_set_issuer_name(x509, X509_get_subject_name(above)) == 1);
  for (const auto& [key, value] : wish.extensions) {
    const Extension extension(X509V3_EXT_nconf(nullptr, nullptr, key, value));
    must(extension && X509_add_ext(x509, extension.get(), -1) == 1);
  }
  EVP_PKEY* const signer = issuer != nullptr ? issuer->key.get() : made.key.get();
  must(X509_sign(x509, signer, EVP_sha256()) > 0);
  return made;
}

MadeCertificate make_root(const std::string& name) {
  return make_certificate(
      {name, {{"basicConstraints", "critical,CA:TRUE"}, {"keyUsage", "critical,keyCertSign"}}}, nullptr);
}

}  // namespace chancery::tests
