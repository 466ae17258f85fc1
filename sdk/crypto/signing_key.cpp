#include "sdk/crypto/signing_key.hpp"

#include <string_view>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "sdk/crypto/ecdsa_der.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/openssl_handles.hpp"

namespace chancery {
namespace {

Error failure() {
  return Error{ErrorCode::kCryptoFailure, "OpenSSL could not make or use the key", ERR_get_error()};
}

Result<PublicKey> read_p256(EVP_PKEY* key) {
  std::array<std::uint8_t, 32> x;
  std::array<std::uint8_t, 32> y;
  BIGNUM* bn_x = nullptr;
  BIGNUM* bn_y = nullptr;
  const bool read = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &bn_x) == 1 &&
                    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &bn_y) == 1 &&
                    BN_bn2binpad(bn_x, x.data(), 32) == 32 && BN_bn2binpad(bn_y, y.data(), 32) == 32;
  BN_free(bn_x);
  BN_free(bn_y);
  if (!read) return failure();
  return PublicKey::p256(x, y);
}

Result<PublicKey> read_ed25519(EVP_PKEY* key) {
  std::array<std::uint8_t, 32> x;
  std::size_t size = x.size();
  if (EVP_PKEY_get_raw_public_key(key, x.data(), &size) != 1 || size != x.size()) return failure();
  return PublicKey::ed25519(x);
}

std::shared_ptr<void> share(openssl::Pkey key) {
  return {key.release(), [](void* p) { EVP_PKEY_free(static_cast<EVP_PKEY*>(p)); }};
}

}  // namespace

Result<SigningKey> SigningKey::generate(Algorithm algorithm) {
  const bool p256 = algorithm == Algorithm::kES256;
  openssl::Pkey key(p256 ? EVP_EC_gen("P-256") : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (!key) return failure();
  CHANCERY_ASSIGN(const PublicKey public_key, p256 ? read_p256(key.get()) : read_ed25519(key.get()));
  return SigningKey(share(std::move(key)), public_key);
}

Result<SigningKey> SigningKey::from_pem(ByteView pem) {
  constexpr Error kNoKey{ErrorCode::kInvalidKey, "holds no unencrypted private key in PEM (PKCS #8)"};
  const openssl::Bio in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  openssl::Pkey key(PEM_read_bio_PrivateKey(
      in.get(), nullptr, [](char*, int, int, void*) { return -1; }, nullptr));
  if (!key) return kNoKey;
  std::array<char, 32> group{};
  const bool p256 = EVP_PKEY_is_a(key.get(), "EC") == 1 &&
                    EVP_PKEY_get_group_name(key.get(), group.data(), group.size(), nullptr) == 1 &&
                    std::string_view(group.data()) == "prime256v1";
  if (!p256 && EVP_PKEY_is_a(key.get(), "ED25519") != 1) {
    return Error{ErrorCode::kUnsupportedAlgorithm, "the private key is neither P-256 nor Ed25519"};
  }
  CHANCERY_ASSIGN(const PublicKey public_key, p256 ? read_p256(key.get()) : read_ed25519(key.get()));
  return SigningKey(share(std::move(key)), public_key);
}

Result<SecretBytes> SigningKey::pem() const {
  const openssl::Bio out(BIO_new(BIO_s_secmem()));
  auto* key = static_cast<EVP_PKEY*>(key_.get());
  if (!out || PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return failure();
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return SecretBytes(ByteView(reinterpret_cast<const std::uint8_t*>(text), static_cast<std::size_t>(size)));
}

Result<Signature> SigningKey::sign(ByteView message) const {
  auto* key = static_cast<EVP_PKEY*>(key_.get());
  std::array<std::uint8_t, 80> out;
  std::size_t size = out.size();
  if (public_key_.algorithm() == Algorithm::kES256) {
    const Sha256Digest digest = sha256(message);
    const openssl::PkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    if (!context || EVP_PKEY_sign_init(context.get()) != 1 ||
        EVP_PKEY_sign(context.get(), out.data(), &size, digest.data(), digest.size()) != 1) {
      return failure();
    }
    const auto raw = ecdsa_raw_from_der(ByteView(out).first(size));
    return raw ? Result<Signature>(*raw) : failure();
  }
  const openssl::DigestContext context(EVP_MD_CTX_new());
  Signature signature;
  size = signature.size();
  if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) != 1 ||
      size != signature.size()) {
    return failure();
  }
  return signature;
}

}  // namespace chancery
