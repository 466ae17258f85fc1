#include "daemon/edge/dev_certificate.hpp"

#include <array>
#include <cerrno>
#include <memory>
#include <string>

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/base/descriptor.hpp"

namespace chancery::edge {
namespace {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
using Pkey = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using Buffer = std::unique_ptr<BIO, Deleter<BIO_free>>;

constexpr std::chrono::hours kBackdated{1};
constexpr std::chrono::days kLifetime{30};

Error crypto_error() {
  const unsigned long native = ERR_peek_error();
  ERR_clear_error();
  return {ErrorCode::kCryptoFailure, "OpenSSL failed to make the development certificate", native};
}

struct ExtensionText {
  int nid;
  const char* value;
};

constexpr std::array kAuthorityExtensions{
    ExtensionText{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
    ExtensionText{NID_key_usage, "critical,keyCertSign,cRLSign"},
    ExtensionText{NID_subject_key_identifier, "hash"},
};
constexpr std::array kServerExtensions{
    ExtensionText{NID_basic_constraints, "critical,CA:FALSE"},
    ExtensionText{NID_key_usage, "critical,digitalSignature"},
    ExtensionText{NID_ext_key_usage, "serverAuth"},
    ExtensionText{NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1"},
    ExtensionText{NID_subject_key_identifier, "hash"},
    ExtensionText{NID_authority_key_identifier, "keyid"},
};

bool add_extensions(X509* certificate, X509* issuer, std::span<const ExtensionText> texts) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  for (const auto& [nid, value] : texts) {
    const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
    if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) return false;
  }
  return true;
}

bool set_serial(X509* certificate) {
  std::array<std::uint8_t, 16> octets;
  if (RAND_bytes(octets.data(), octets.size()) != 1) return false;
  octets[0] =
      static_cast<std::uint8_t>((octets[0] & 0x3f) | 0x40);  // positive, and always of the same length
  const std::unique_ptr<BIGNUM, Deleter<BN_free>> number(BN_bin2bn(octets.data(), octets.size(), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate));
}

bool set_validity(X509* certificate, std::chrono::sys_seconds now) {
  const auto seconds = [](std::chrono::sys_seconds time) {
    return static_cast<time_t>(time.time_since_epoch().count());
  };
  return ASN1_TIME_set(X509_getm_notBefore(certificate), seconds(now - kBackdated)) &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), seconds(now + kLifetime));
}

struct Subject {
  const char* name;
  EVP_PKEY* key;
  std::span<const ExtensionText> extensions;
};

struct Issuer {
  X509* certificate;  // nullptr: the subject itself
  EVP_PKEY* key;
};

Result<Certificate> issue(const Subject& subject, const Issuer& issuer, std::chrono::sys_seconds now) {
  Certificate made(X509_new());
  if (!made) return crypto_error();
  X509* const certificate = made.get();
  X509* const signer = issuer.certificate ? issuer.certificate : certificate;
  X509_NAME* const name = X509_get_subject_name(certificate);
  const auto* text = reinterpret_cast<const unsigned char*>(subject.name);
  const bool done = X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
                    set_validity(certificate, now) &&
                    X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, text, -1, -1, 0) == 1 &&
                    X509_set_issuer_name(certificate, X509_get_subject_name(signer)) == 1 &&
                    X509_set_pubkey(certificate, subject.key) == 1 &&
                    add_extensions(certificate, signer, subject.extensions) &&
                    X509_sign(certificate, issuer.key, EVP_sha256()) > 0;
  if (!done) return crypto_error();
  return made;
}

Status write_new_file(const std::filesystem::path& path, BIO* content, mode_t mode) {
  const char* text = nullptr;
  const auto size = static_cast<std::size_t>(BIO_get_mem_data(content, &text));
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  // The daemon's umask takes what other users of the machine need: they must be able to read the authority.
  if (!file || ::fchmod(file.get(), mode) != 0 ||
      ::write(file.get(), text, size) != static_cast<ssize_t>(size)) {
    return Error{ErrorCode::kFileUnwritable,
                 "cannot write the development certificate: give a new folder of the daemon's user",
                 static_cast<std::uint64_t>(errno)};
  }
  return {};
}

Status write_certificates(const std::filesystem::path& path, std::initializer_list<X509*> certificates) {
  const Buffer text(BIO_new(BIO_s_mem()));
  for (X509* certificate : certificates) {
    if (!text || PEM_write_bio_X509(text.get(), certificate) != 1) return crypto_error();
  }
  return write_new_file(path, text.get(), 0644);
}

Status write_key(const std::filesystem::path& path, EVP_PKEY* key) {
  const Buffer text(BIO_new(BIO_s_secmem()));
  if (!text || PEM_write_bio_PKCS8PrivateKey(text.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return crypto_error();
  }
  return write_new_file(path, text.get(), 0600);
}

}  // namespace

Status make_dev_certificate(const DevCertificateFiles& files, std::chrono::sys_seconds now) {
  const Pkey authority_key(EVP_EC_gen("P-256"));
  const Pkey server_key(EVP_EC_gen("P-256"));
  if (!authority_key || !server_key) return crypto_error();
  CHANCERY_ASSIGN(const Certificate authority,
                  issue({"Chancery development authority", authority_key.get(), kAuthorityExtensions},
                        {nullptr, authority_key.get()}, now));
  CHANCERY_ASSIGN(const Certificate server, issue({"localhost", server_key.get(), kServerExtensions},
                                                  {authority.get(), authority_key.get()}, now));
  CHANCERY_TRY(write_certificates(files.authority, {authority.get()}));
  CHANCERY_TRY(write_certificates(files.certificate, {server.get(), authority.get()}));
  return write_key(files.key, server_key.get());
}

}  // namespace chancery::edge
