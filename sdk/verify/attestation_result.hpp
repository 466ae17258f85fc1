#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <chancery/custody.hpp>
#include <chancery/keys.hpp>
#include <chancery/result.hpp>

#include "sdk/crypto/verify_key.hpp"

namespace chancery {

/// What a verifier found out about one key: the claims of an attestation result (docs/protocol/attestation.md,
/// section 4), which is an EAT (RFC 9711) in the shape of draft-ietf-rats-ear.
struct AttestationResult {
  std::string issuer;  ///< the verifier's URL
  std::chrono::sys_seconds issued_at{};
  std::chrono::sys_seconds expires_at{};
  Thumbprint key;  ///< `cnf.jkt`
  Custody custody = Custody::kSoftware;
  std::string policy;  ///< id of the policy that was applied
  std::string
      ek_fingerprint;        ///< SHA-256 of the EK's certificate, or of its Name; hexadecimal; empty: no TPM
  std::string manufacturer;  ///< as the EK's certificate says it; empty: it says nothing
  std::uint64_t firmware = 0;
  std::uint32_t reset_count = 0;
  std::uint32_t restart_count = 0;
  bool is_clock_safe = false;
  std::chrono::sys_seconds evidence_at{};  ///< when the evidence was judged
};

/// The octets to sign for an `eat+jwt` that open_attestation_result() reads back.
[[nodiscard]] std::string attestation_result_signing_input(const AttestationResult& result,
                                                           const PublicKey& signer);

/// Reads an attestation result and verifies it under the first of `keys` that fits. Its times are for the caller to
/// judge.
/// \return the result, or kMalformed, kSignatureInvalid
[[nodiscard]] Result<AttestationResult> open_attestation_result(std::string_view compact,
                                                                std::span<const VerifyKey> keys);

}  // namespace chancery
