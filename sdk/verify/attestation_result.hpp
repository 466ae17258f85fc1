#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <chancery/bytes.hpp>
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
      ek_fingerprint;  ///< SHA-256 of the EK's certificate, or of its public area; hexadecimal; empty: no TPM
  std::string manufacturer;  ///< as the EK's certificate says it; empty: it says nothing
  std::string endorsement;   ///< how the EK was believed: "root", "pinned", "first-use"; empty: not said
  std::uint64_t firmware = 0;
  std::uint32_t reset_count = 0;
  std::uint32_t restart_count = 0;
  bool is_clock_safe = false;
  std::chrono::sys_seconds evidence_at{};  ///< when the evidence was judged
};

/// The octets to sign for an `eat+jwt` that open_attestation_result() reads back.
[[nodiscard]] std::string attestation_result_signing_input(const AttestationResult& result,
                                                           const PublicKey& signer);

/// An attestation result as it was sent: read, its signature not judged. A value; immutable.
class SignedAttestationResult {
 public:
  /// \return kMalformed (also for more than kMaxAttestationResult octets), kDuplicateMember, kNonFinite
  [[nodiscard]] static Result<SignedAttestationResult> parse(std::string_view compact);

  [[nodiscard]] std::string_view compact() const noexcept { return compact_; }
  /// The header's `alg`; nullopt when it is not one that we know.
  [[nodiscard]] std::optional<Algorithm> algorithm() const noexcept { return algorithm_; }
  /// What whoever signed it says, which may be anybody.
  [[nodiscard]] const AttestationResult& claims() const noexcept { return claims_; }
  /// The one of `keys` that the header's `kid` names by its thumbprint, whose algorithm is the header's; nullptr: none.
  /// Verifies nothing.
  [[nodiscard]] const VerifyKey* named_signer(std::span<const VerifyKey> keys) const noexcept;
  [[nodiscard]] bool verifies_under(const VerifyKey& key) const noexcept;

 private:
  SignedAttestationResult() = default;

  std::string compact_;
  std::size_t signing_input_size_ = 0;
  std::optional<Algorithm> algorithm_;
  std::optional<Thumbprint> kid_;
  Bytes signature_;
  AttestationResult claims_;
};

/// Reads an attestation result and verifies it under the one of `keys` that it names. Its times are for judge_times().
/// \return the result, or kMalformed, kSignatureInvalid
[[nodiscard]] Result<AttestationResult> open_attestation_result(std::string_view compact,
                                                                std::span<const VerifyKey> keys);

/// How an instant lies to a result's times.
enum class ResultTimes {
  kCurrent,
  kIssuedLater,    ///< its `iat` is to come
  kEvidenceLater,  ///< its evidence is of a time to come
  kExpired,        ///< from the second of `exp` on
};
/// The first of these that holds, in the order issued, evidence, expired. Pure.
[[nodiscard]] ResultTimes judge_times(const AttestationResult& result, std::chrono::sys_seconds now) noexcept;

}  // namespace chancery
