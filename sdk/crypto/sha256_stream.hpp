#pragma once

#include <chancery/bytes.hpp>

#include "sdk/crypto/openssl_handles.hpp"

namespace chancery {

/// SHA-256 (FIPS 180-4) of what comes in pieces. Aborts only when OpenSSL itself cannot provide it. One
/// thread at a time.
class Sha256Stream {
 public:
  Sha256Stream();
  void add(ByteView piece);
  /// The digest of everything that was added; the stream is used up.
  [[nodiscard]] Sha256Digest finish();

 private:
  openssl::DigestContext context_;
};

}  // namespace chancery
