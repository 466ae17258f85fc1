#include "sdk/token/bound_nonce.hpp"

#include <string>

#include "sdk/crypto/hash.hpp"

namespace chancery {

Bytes bound_nonce(std::string_view leaf, ByteView nonce) {
  const Sha256Digest digest = sha256(as_bytes(std::string(leaf).append(as_text(nonce))));
  return {digest.begin(), digest.end()};
}

}  // namespace chancery
