#include "sdk/crypto/aead.hpp"

#include <algorithm>
#include <array>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "sdk/crypto/openssl_handles.hpp"

namespace chancery {
namespace {

using openssl::CipherContext;

constexpr std::size_t kMaxText = std::size_t{1} << 30;  // OpenSSL counts in int
constexpr Error kTagDoesNotFit{
    ErrorCode::kSignatureInvalid,
    "what was encrypted does not open: it was changed, or belongs to another key or name"};

// Fetched once: an implicit fetch costs more than encrypting a secret does.
const EVP_CIPHER* aes_256_gcm() noexcept {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return cipher;
}

Error failure() noexcept {
  const Error error{ErrorCode::kCryptoFailure, "AES-256-GCM failed: check OpenSSL's configuration",
                    ERR_get_error()};
  ERR_clear_error();
  return error;
}

Status check_sizes(ByteView key, ByteView nonce, ByteView aad, ByteView text) {
  if (key.size() != kAeadKeySize) {
    return Error{ErrorCode::kInvalidArgument, "a key for AES-256-GCM has 32 octets"};
  }
  if (nonce.size() != kAeadNonceSize) {
    return Error{ErrorCode::kInvalidArgument, "a nonce for AES-256-GCM has 12 octets here"};
  }
  if (aad.size() > kMaxText || text.size() > kMaxText + kAeadTagSize) {
    return Error{ErrorCode::kInvalidArgument, "at most 1 GiB is encrypted at once"};
  }
  return {};
}

// Tells the cipher what is authenticated only. OpenSSL takes an empty update with a null pointer for the end.
bool add_aad(EVP_CIPHER_CTX* context, ByteView aad) noexcept {
  int size = 0;
  return aad.empty() ||
         EVP_CipherUpdate(context, nullptr, &size, aad.data(), static_cast<int>(aad.size())) == 1;
}

// `out` has the size of `in`: GCM neither pads nor holds anything back.
bool apply(EVP_CIPHER_CTX* context, ByteView in, std::uint8_t* out) noexcept {
  int size = 0;
  return in.empty() || (EVP_CipherUpdate(context, out, &size, in.data(), static_cast<int>(in.size())) == 1 &&
                        static_cast<std::size_t>(size) == in.size());
}

// On encryption it makes the tag, on decryption it compares it; it puts out nothing.
bool finish(EVP_CIPHER_CTX* context) noexcept {
  std::array<std::uint8_t, EVP_MAX_BLOCK_LENGTH> nothing{};
  int size = 0;
  return EVP_CipherFinal_ex(context, nothing.data(), &size) == 1 && size == 0;
}

}  // namespace

Result<Bytes> seal_aead(ByteView key, ByteView nonce, ByteView aad, ByteView plain) {
  CHANCERY_TRY(check_sizes(key, nonce, aad, plain));
  if (plain.size() > kMaxText)
    return Error{ErrorCode::kInvalidArgument, "at most 1 GiB is encrypted at once"};
  const CipherContext context(EVP_CIPHER_CTX_new());
  Bytes sealed(plain.size() + kAeadTagSize);
  if (!context || EVP_EncryptInit_ex2(context.get(), aes_256_gcm(), key.data(), nonce.data(), nullptr) != 1 ||
      !add_aad(context.get(), aad) || !apply(context.get(), plain, sealed.data()) || !finish(context.get()) ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagSize, &sealed[plain.size()]) != 1) {
    return failure();
  }
  return sealed;
}

Result<SecretBytes> open_aead(ByteView key, ByteView nonce, ByteView aad, ByteView sealed) {
  CHANCERY_TRY(check_sizes(key, nonce, aad, sealed));
  if (sealed.size() < kAeadTagSize) return kTagDoesNotFit;
  const ByteView text = sealed.first(sealed.size() - kAeadTagSize);
  std::array<std::uint8_t, kAeadTagSize> tag{};
  std::ranges::copy(sealed.last(kAeadTagSize), tag.begin());
  const CipherContext context(EVP_CIPHER_CTX_new());
  SecretBytes plain(text.size());
  if (!context || EVP_DecryptInit_ex2(context.get(), aes_256_gcm(), key.data(), nonce.data(), nullptr) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTagSize, tag.data()) != 1 ||
      !add_aad(context.get(), aad) || !apply(context.get(), text, plain.writable().data())) {
    return failure();
  }
  if (!finish(context.get())) {
    ERR_clear_error();
    return kTagDoesNotFit;
  }
  return plain;
}

}  // namespace chancery
