#pragma once

#include <chancery/result.hpp>

#include "attest/evidence/key_claims.hpp"
#include "hsm/key_backend.hpp"

namespace chancery::hsm {

/// Tells what a device says of its keys, where it can prove nothing by itself. Thread-safe; every call ends by its
/// deadline, with KeyBackend's common errors.
class KeyClaimant {
 public:
  virtual ~KeyClaimant() = default;

  /// \return what the device says now; kKeyLost, kKeyMismatch and kWrongDevice as KeyBackend::sign()
  virtual Result<attest::KeyClaims> claims(const StoredKey& key, Deadline deadline) = 0;
};

}  // namespace chancery::hsm
