#include "attest/verify/certificate.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "sdk/crypto/hash.hpp"

namespace chancery::attest {
namespace {

constexpr std::size_t kMostOctets = 64 * 1024;
constexpr std::size_t kMostPemOctets = 4 * 1024 * 1024;

// TCG OIDs: tcg-kp-EKCertificate, and the attributes of a TPM's subject alternative name.
constexpr const char* kEkPurpose = "2.23.133.8.1";
constexpr const char* kManufacturer = "2.23.133.2.1";
constexpr const char* kModel = "2.23.133.2.2";
constexpr const char* kVersion = "2.23.133.2.3";

using Store = std::unique_ptr<X509_STORE, openssl::Deleter<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, openssl::Deleter<X509_STORE_CTX_free>>;
using Purposes = std::unique_ptr<EXTENDED_KEY_USAGE, openssl::Deleter<EXTENDED_KEY_USAGE_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, openssl::Deleter<GENERAL_NAMES_free>>;
using Text =
    std::unique_ptr<unsigned char, openssl::Deleter<[](unsigned char* text) { OPENSSL_free(text); }>>;

struct StackDeleter {
  void operator()(STACK_OF(X509) * stack) const noexcept { sk_X509_free(stack); }  // borrows its members
};
using Stack = std::unique_ptr<STACK_OF(X509), StackDeleter>;

std::string oid_of(const ASN1_OBJECT* object) {
  std::array<char, 80> text{};
  const int size = OBJ_obj2txt(text.data(), text.size(), object, 1);
  return size > 0 && static_cast<std::size_t>(size) < text.size() ? text.data() : "";
}

// X509_verify_cert answers 1 alone with "yes".
enum class Times : std::uint8_t { kAny, kValid };

bool leads_to_a_root(const Certificate& leaf, const CertificatePath& path, Times times) {
  const Store store(X509_STORE_new());
  const Stack untrusted(sk_X509_new_null());
  const StoreContext context(X509_STORE_CTX_new());
  if (!store || !untrusted || !context) return false;
  for (const Certificate& root : path.roots) {
    if (X509_STORE_add_cert(store.get(), &root.x509()) != 1) return false;
  }
  for (const Certificate& issuer : path.intermediates) {
    if (sk_X509_push(untrusted.get(), &issuer.x509()) == 0) return false;
  }
  if (X509_STORE_CTX_init(context.get(), store.get(), &leaf.x509(), untrusted.get()) != 1) return false;
  X509_VERIFY_PARAM* const rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_auth_level(rules, 0);
  if (times == Times::kAny) {
    X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_NO_CHECK_TIME);  // which a time that is set would undo
  } else {
    X509_VERIFY_PARAM_set_time(rules, path.at.time_since_epoch().count());
  }
  return X509_verify_cert(context.get()) == 1;
}

bool has_purpose(const Certificate& certificate, const char* wanted) {
  const Purposes purposes(static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(&certificate.x509(), NID_ext_key_usage, nullptr, nullptr)));
  const int count = purposes ? sk_ASN1_OBJECT_num(purposes.get()) : 0;
  for (int i = 0; i < count; ++i) {
    if (oid_of(sk_ASN1_OBJECT_value(purposes.get(), i)) == wanted) return true;
  }
  return false;
}

void note_name(const X509_NAME* name, TpmIdentity& identity) {
  const std::array members{std::pair{kManufacturer, &identity.manufacturer},
                           std::pair{kModel, &identity.model}, std::pair{kVersion, &identity.version}};
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* const entry = X509_NAME_get_entry(name, i);
    const std::string oid = oid_of(X509_NAME_ENTRY_get_object(entry));
    const auto* const member = std::ranges::find(members, oid, [](const auto& pair) { return pair.first; });
    if (member == members.end()) continue;
    unsigned char* text = nullptr;
    const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
    const Text owned(text);
    if (size > 0) member->second->assign(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  }
}

// The content of the next PEM block, which has to be a certificate's.
Result<Bytes> next_certificate(BIO* from) {
  char* kind = nullptr;
  char* header = nullptr;
  unsigned char* octets = nullptr;
  long size = 0;
  if (PEM_read_bio(from, &kind, &header, &octets, &size) != 1)
    return Error{ErrorCode::kMalformed, "the file has a PEM block that is cut off or damaged"};
  const Text owned_kind(reinterpret_cast<unsigned char*>(kind));
  const Text owned_header(reinterpret_cast<unsigned char*>(header));
  const Text owned_octets(octets);
  if (std::string_view(kind) != PEM_STRING_X509)
    return Error{ErrorCode::kMalformed,
                 "the file holds something else than certificates: leave BEGIN CERTIFICATE blocks only"};
  return Bytes(octets, octets + size);
}

}  // namespace

Judged<Certificate> Certificate::parse(ByteView der) {
  constexpr Refusal kUnreadable{Check::kCertParse, "the certificate cannot be read: DER is expected"};
  if (der.size() > kMostOctets) return Refusal{Check::kCertParse, "the certificate is larger than 64 KiB"};
  const unsigned char* next = der.data();
  std::shared_ptr<X509> x509(d2i_X509(nullptr, &next, static_cast<long>(der.size())), X509_free);
  if (!x509) return kUnreadable;
  const ByteView padding = der.subspan(static_cast<std::size_t>(next - der.data()));
  const bool is_padding = padding.empty() || ((padding[0] == 0x00 || padding[0] == 0xFF) &&
                                              std::ranges::count(padding, padding[0]) == std::ssize(padding));
  if (!is_padding) return Refusal{Check::kCertParse, "behind the certificate stands something else"};
  return Certificate(std::move(x509));
}

Result<std::vector<Certificate>> read_certificates(std::string_view pem_or_der) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  std::size_t blocks = 0;
  for (std::size_t at = 0; (at = pem_or_der.find(kBegin, at)) != std::string_view::npos; ++at) ++blocks;
  std::vector<Certificate> out;
  const auto add = [&out](ByteView der) -> Status {
    const auto certificate = Certificate::parse(der);
    if (!certificate) return Error{ErrorCode::kMalformed, certificate.error().what};
    out.push_back(*certificate);
    return {};
  };
  if (blocks == 0) {
    CHANCERY_TRY(add(as_bytes(pem_or_der)));
    return out;
  }
  if (pem_or_der.size() > kMostPemOctets)
    return Error{ErrorCode::kTooLarge, "a file of certificates has at most 4 MiB: split it"};
  const openssl::Bio bio(BIO_new_mem_buf(pem_or_der.data(), static_cast<int>(pem_or_der.size())));
  for (std::size_t i = 0; i < blocks; ++i) {
    CHANCERY_ASSIGN(const Bytes der, next_certificate(bio.get()));
    CHANCERY_TRY(add(der));
  }
  return out;
}

Judged<openssl::Pkey> Certificate::key() const {
  if (EVP_PKEY* const known = X509_get0_pubkey(x509_.get())) {
    EVP_PKEY_up_ref(known);
    return openssl::Pkey(known);
  }
  ASN1_OBJECT* algorithm = nullptr;
  const unsigned char* octets = nullptr;
  int size = 0;
  X509_PUBKEY_get0_param(&algorithm, &octets, &size, nullptr, X509_get_X509_PUBKEY(x509_.get()));
  openssl::Pkey key;
  if (OBJ_obj2nid(algorithm) == NID_rsaesOaep) key.reset(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &octets, size));
  if (!key) return Refusal{Check::kCertParse, "the certificate's key is of no kind that is known here"};
  return key;
}

Sha256Digest Certificate::fingerprint() const {
  Sha256Digest digest{};
  unsigned int size = 0;
  if (X509_digest(x509_.get(), EVP_sha256(), digest.data(), &size) != 1 || size != digest.size())
    std::abort();
  return digest;
}

Judged<void> check_path(const Certificate& leaf, const CertificatePath& path) {
  if (!leads_to_a_root(leaf, path, Times::kAny)) {
    return Refusal{
        Check::kChain,
        "the certificate leads to no configured root: is its vendor's root there, and every CA between?"};
  }
  if (!leads_to_a_root(leaf, path, Times::kValid)) {
    return Refusal{Check::kTime, "a certificate on the way is not valid at that time"};
  }
  return {};
}

Judged<void> check_critical_extensions(const Certificate& certificate) {
  for (int i = 0; i < X509_get_ext_count(&certificate.x509()); ++i) {
    X509_EXTENSION* const extension = X509_get_ext(&certificate.x509(), i);
    if (X509_EXTENSION_get_critical(extension) != 0 && X509_supported_extension(extension) != 1)
      return Refusal{
          Check::kCriticalExtension,
          "the certificate has a critical extension that is not known here: pin the EK if you trust it"};
  }
  return {};
}

Judged<void> check_certified_key(const Certificate& certificate, const PublicArea& key) {
  CHANCERY_ASSIGN(const openssl::Pkey certified, certificate.key());
  const auto presented = key.key();
  if (presented && EVP_PKEY_eq(certified.get(), presented->get()) == 1) return {};
  return Refusal{Check::kKeyMismatch, "the certificate is for another EK"};
}

Judged<void> check_ek_certificate(const Certificate& leaf, const CertificatePath& path,
                                  const PublicArea* ek) {
  CHANCERY_TRY(check_path(leaf, path));
  if (X509_check_ca(&leaf.x509()) != 0)
    return Refusal{Check::kIsCa, "a CA's certificate stands in for an EK's"};
  if (!has_purpose(leaf, kEkPurpose))
    return Refusal{Check::kNotEk, "the certificate is no EK's: it lacks the purpose tcg-kp-EKCertificate"};
  const std::uint32_t usage = X509_get_key_usage(&leaf.x509());
  if ((X509_get_extension_flags(&leaf.x509()) & EXFLAG_KUSAGE) == 0 ||
      (usage & (KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN)) != 0) {
    return Refusal{Check::kKeyUsage, "an EK's certificate says what its key is for, and signing is not that"};
  }
  if (ek == nullptr) return {};
  return check_certified_key(leaf, *ek);
}

TpmIdentity tpm_identity(const Certificate& certificate) {
  TpmIdentity identity;
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate.x509(), NID_subject_alt_name, nullptr, nullptr)));
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count; ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DIRNAME) note_name(name->d.directoryName, identity);
  }
  return identity;
}

}  // namespace chancery::attest
