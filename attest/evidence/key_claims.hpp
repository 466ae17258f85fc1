#pragma once

#include <vector>

#include <chancery/bytes.hpp>

namespace chancery::attest {

/// What a PKCS#11 token says of a private key (PKCS#11 v3.0, 4.9): its word and no proof; SoftHSM says the same.
struct KeyClaims {
  bool sensitive = false;          ///< CKA_SENSITIVE
  bool always_sensitive = false;   ///< CKA_ALWAYS_SENSITIVE
  bool never_extractable = false;  ///< CKA_NEVER_EXTRACTABLE
  bool local = false;              ///< CKA_LOCAL: made in the token
  /// X.509 certificates that the token keeps, DER: those beside the key first. Some vendors put one there by which
  /// the device attests the key, and those of the CAs above it.
  std::vector<Bytes> certificates{};

  friend bool operator==(const KeyClaims&, const KeyClaims&) = default;
};

}  // namespace chancery::attest
