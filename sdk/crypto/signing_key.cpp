#include "sdk/crypto/signing_key.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>

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

Result<Signature> raw_from_der(ByteView der) {
  const std::uint8_t* begin = der.data();
  const openssl::EcdsaSignature parsed(d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(der.size())));
  Signature raw;
  if (!parsed || BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), raw.data(), 32) != 32 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), raw.data() + 32, 32) != 32) {
    return failure();
  }
  return raw;
}

}  // namespace

Result<SigningKey> SigningKey::generate(Algorithm algorithm) {
  const bool p256 = algorithm == Algorithm::kES256;
  openssl::Pkey key(p256 ? EVP_EC_gen("P-256") : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (!key) return failure();
  CHANCERY_ASSIGN(const PublicKey public_key, p256 ? read_p256(key.get()) : read_ed25519(key.get()));
  std::shared_ptr<void> shared(key.release(), [](void* p) { EVP_PKEY_free(static_cast<EVP_PKEY*>(p)); });
  return SigningKey(std::move(shared), public_key);
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
    return raw_from_der(ByteView(out).first(size));
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
