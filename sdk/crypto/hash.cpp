#include "sdk/crypto/hash.hpp"

#include <array>
#include <cstdlib>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "sdk/crypto/openssl_handles.hpp"

namespace chancery {
namespace {

// Fetched once: an implicit fetch costs more than hashing a token does.
const EVP_MD* sha256_method() noexcept {
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return method;
}

}  // namespace

Sha256Digest sha256(ByteView message) noexcept {
  thread_local const openssl::DigestContext context(EVP_MD_CTX_new());
  Sha256Digest digest;
  if (EVP_DigestInit_ex2(context.get(), sha256_method(), nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), message.data(), message.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) {
    std::abort();
  }
  return digest;
}

Sha256Digest hmac_sha256(ByteView key, ByteView message) noexcept {
  // An empty key must not be a null pointer, which HMAC() takes for "the one before".
  static constexpr std::uint8_t kNone = 0;
  Sha256Digest out{};
  unsigned int size = 0;
  const unsigned char* made =
      HMAC(EVP_sha256(), key.empty() ? &kNone : key.data(), static_cast<int>(key.size()), message.data(),
           message.size(), out.data(), &size);
  if (made == nullptr || size != out.size()) std::abort();
  return out;
}

SecretBytes hkdf_sha256(ByteView key, ByteView salt, std::string_view info, std::size_t size) {
  const openssl::Kdf kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const openssl::KdfContext context(EVP_KDF_CTX_new(kdf.get()));
  char digest[] = "SHA256";
  // OSSL_PARAM takes mutable pointers but only reads these, and refuses an empty octet string.
  const auto octets = [](ByteView view) { return const_cast<std::uint8_t*>(view.data()); };
  std::array<OSSL_PARAM, 5> parameters;
  auto next = parameters.begin();
  const auto add_octets = [&](const char* name, ByteView value) {
    if (!value.empty()) *next++ = OSSL_PARAM_construct_octet_string(name, octets(value), value.size());
  };
  *next++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
  add_octets(OSSL_KDF_PARAM_KEY, key);
  add_octets(OSSL_KDF_PARAM_SALT, salt);
  add_octets(OSSL_KDF_PARAM_INFO, as_bytes(info));
  *next = OSSL_PARAM_construct_end();
  SecretBytes out(size);
  if (EVP_KDF_derive(context.get(), out.writable().data(), size, parameters.data()) != 1) std::abort();
  return out;
}

Status random_bytes(std::span<std::uint8_t> out) noexcept {
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) {
    return Error{ErrorCode::kCryptoFailure, "the random generator failed: check OpenSSL's configuration",
                 ERR_get_error()};
  }
  return {};
}

bool equal_constant_time(ByteView a, ByteView b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace chancery
