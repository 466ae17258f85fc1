#include "sdk/crypto/sha256_stream.hpp"

#include <cstdlib>

#include <openssl/evp.h>

namespace chancery {

Sha256Stream::Sha256Stream() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex2(context_.get(), EVP_sha256(), nullptr) != 1) std::abort();
}

void Sha256Stream::add(ByteView piece) {
  if (EVP_DigestUpdate(context_.get(), piece.data(), piece.size()) != 1) std::abort();
}

Sha256Digest Sha256Stream::finish() {
  Sha256Digest digest;
  if (EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) != 1) std::abort();
  return digest;
}

}  // namespace chancery
