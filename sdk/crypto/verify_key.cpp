#include "sdk/crypto/verify_key.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include "sdk/crypto/ecdsa_der.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/openssl_handles.hpp"

namespace chancery {
namespace {

using openssl::Pkey;
using openssl::PkeyContext;

Pkey new_p256_parameters() {
  char group[] = "P-256";
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                             OSSL_PARAM_construct_end()};
  const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEY_PARAMETERS, parameters) != 1) {
    std::abort();
  }
  return Pkey(key);
}

// One object a thread takes each key in turn: 0.7 µs a key, where a copy of it costs 3.5, and one from parameters ten times that.
EVP_PKEY* p256_scratch() {
  thread_local const Pkey scratch = new_p256_parameters();
  return scratch.get();
}

// OpenSSL checks here that the point is on the curve (and not at infinity: the encoding cannot say so).
bool set_p256_point(EVP_PKEY* key, const PublicKey& source) noexcept {
  std::array<std::uint8_t, 65> encoded;
  encoded[0] = 0x04;  // SEC 1: uncompressed
  std::ranges::copy(source.x(), encoded.begin() + 1);
  std::ranges::copy(source.y(), encoded.begin() + 33);
  const bool is_set = EVP_PKEY_set1_encoded_public_key(key, encoded.data(), encoded.size()) == 1;
  if (!is_set) ERR_clear_error();
  return is_set;
}

bool verify_es256(EVP_PKEY* key, const Sha256Digest& digest, ByteView raw) noexcept {
  EcdsaDer der;
  const std::size_t size = ecdsa_der_from_raw(raw, der);
  if (size == 0) return false;
  const PkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  const bool valid = context && EVP_PKEY_verify_init(context.get()) == 1 &&
                     EVP_PKEY_verify(context.get(), der.data(), size, digest.data(), digest.size()) == 1;
  if (!valid) ERR_clear_error();
  return valid;
}

bool verify_ed25519(EVP_PKEY* key, ByteView message, ByteView signature) noexcept {
  if (signature.size() != 64) return false;
  const openssl::DigestContext context(EVP_MD_CTX_new());
  const bool valid = context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
                     EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                                      message.size()) == 1;
  if (!valid) ERR_clear_error();
  return valid;
}

Pkey new_ed25519(const PublicKey& key) noexcept {
  return Pkey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.x().data(), key.x().size()));
}

constexpr Error kNoPoint{ErrorCode::kInvalidKey, "the public key is not a point on its curve"};

}  // namespace

Status check_point(const PublicKey& key) noexcept {
  // Of Ed25519 every 32 octets pass; those that are no point verify nothing.
  if (key.algorithm() != Algorithm::kES256 || set_p256_point(p256_scratch(), key)) return {};
  return kNoPoint;
}

bool verify_signature(const PublicKey& key, const Sha256Digest& digest, ByteView message,
                      ByteView signature) noexcept {
  switch (key.algorithm()) {
    case Algorithm::kES256:
      return set_p256_point(p256_scratch(), key) && verify_es256(p256_scratch(), digest, signature);
    case Algorithm::kEd25519: {
      const Pkey parsed = new_ed25519(key);
      return parsed && verify_ed25519(parsed.get(), message, signature);
    }
  }
  std::abort();
}

VerifyKey::VerifyKey(const PublicKey& key, std::shared_ptr<void> parsed)
    : key_(key), thumbprint_(key.thumbprint()), parsed_(std::move(parsed)) {}

Result<VerifyKey> VerifyKey::from(const PublicKey& key) {
  Pkey parsed = key.algorithm() == Algorithm::kES256 ? Pkey(EVP_PKEY_dup(p256_scratch())) : new_ed25519(key);
  if (!parsed || (key.algorithm() == Algorithm::kES256 && !set_p256_point(parsed.get(), key)))
    return kNoPoint;
  return VerifyKey(key, std::shared_ptr<void>(parsed.release(),
                                              [](void* p) { EVP_PKEY_free(static_cast<EVP_PKEY*>(p)); }));
}

bool VerifyKey::verify(ByteView message, ByteView signature) const noexcept {
  const Sha256Digest digest = key_.algorithm() == Algorithm::kES256 ? sha256(message) : Sha256Digest{};
  return verify(digest, message, signature);
}

bool VerifyKey::verify(const Sha256Digest& digest, ByteView message, ByteView signature) const noexcept {
  auto* key = static_cast<EVP_PKEY*>(parsed_.get());
  switch (key_.algorithm()) {
    case Algorithm::kES256:
      return verify_es256(key, digest, signature);
    case Algorithm::kEd25519:
      return verify_ed25519(key, message, signature);
  }
  std::abort();
}

}  // namespace chancery
