#include "tests/unit/attest/made_certificate.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

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
  MadeCertificate made{openssl::Pkey(wish.key), std::shared_ptr<X509>(X509_new(), X509_free)};
  if (wish.key == nullptr)
    made.key.reset(EVP_EC_gen("P-256"));
  else
    EVP_PKEY_up_ref(wish.key);
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

MadeCertificate make_authority(const MadeCertificate& root) {
  return make_certificate(
      {"ca", {{"basicConstraints", "critical,CA:TRUE"}, {"keyUsage", "critical,keyCertSign"}}}, &root);
}

PublicKey public_key_of(EVP_PKEY* key) {
  std::array<std::uint8_t, 65> octets{};
  std::size_t size = octets.size();
  if (EVP_PKEY_is_a(key, "ED25519") == 1) {
    must(EVP_PKEY_get_raw_public_key(key, octets.data(), &size) == 1);
    std::array<std::uint8_t, 32> x{};
    std::copy_n(octets.begin(), x.size(), x.begin());
    return PublicKey::ed25519(x);
  }
  must(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, octets.data(), octets.size(), &size) ==
           1 &&
       size == octets.size());
  std::array<std::uint8_t, 32> x{};
  std::array<std::uint8_t, 32> y{};
  std::copy_n(octets.begin() + 1, x.size(), x.begin());
  std::copy_n(octets.begin() + 33, y.size(), y.begin());
  return PublicKey::p256(x, y);
}

openssl::Pkey openssl_key_of(const PublicKey& key) {
  if (key.algorithm() == Algorithm::kEd25519)
    return openssl::Pkey(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.x().data(), key.x().size()));
  Bytes point{0x04};
  point.insert(point.end(), key.x().begin(), key.x().end());
  point.insert(point.end(), key.y().begin(), key.y().end());
  std::string group = "P-256";
  std::array params{OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
                    OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
                    OSSL_PARAM_construct_end()};
  const openssl::PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* made = nullptr;
  must(EVP_PKEY_fromdata_init(context.get()) == 1 &&
       EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params.data()) == 1);
  return openssl::Pkey(made);
}

}  // namespace chancery::tests
