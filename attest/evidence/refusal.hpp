#pragma once

#include <cstdint>
#include <string_view>

#include <chancery/result.hpp>

namespace chancery::attest {

/// The checks that evidence has to pass; the one that failed is why it is refused. Names are part of what
/// `chancery verify-evidence` prints.
enum class Check : std::uint8_t {
  kMalformed,  ///< a structure is complete, ends with its last octet and says each size once
  // The attestation key
  kAkKey,         ///< of an algorithm, size and curve that is allowed
  kAkAttributes,  ///< restricted, signing, made in this TPM and bound to it
  kAkCertKey,     ///< its certificate is for it
  kAkName,        ///< it is the one that the statement says signed it
  kNoAk,          ///< there is one
  // An endorsement key
  kEkTemplate,     ///< it is of a TCG template's kind: restricted, decrypts, cannot leave its TPM
  kNoEndorsement,  ///< a certificate or a pin speaks for it
  // Certificates
  kCertParse,
  kCriticalExtension,  ///< nothing critical in it is unknown here
  kChain,              ///< leads to a configured root
  kTime,               ///< everything on the way is valid at that time
  kIsCa,               ///< an EK's certificate is no CA's
  kNotEk,              ///< tcg-kp-EKCertificate
  kKeyUsage,           ///< as an EK's
  kKeyMismatch,        ///< for the EK that is presented
  // The signature
  kWeakHash,
  kScheme,
  kSignature,
  // The statement
  kMagic,
  kType,
  kNonce,
  // Quotes
  kPcrSelection,
  kPcrMissing,
  kPcrDigest,
  // Certifications
  kName,
  kCreationHash,
  // What was measured
  kIndexKind,  ///< the NV index only ever extends
  kIndexPart,  ///< the whole of it is certified
  // An agent's key, and its host by the verifier's policy
  kKeyParent,
  kKeyType,
  kKeyAttributes,
  kKeyPolicy,  ///< the policy that is said is the key's
  kPcrPolicy,
  kFirmware,
  kReset,
  kRollback,  ///< the TPM's time did not go back
  // A PKCS#11 token's key
  kClaims,  ///< the token says that the key was made in it and cannot leave it
  // Credentials
  kIntegrity,
  kSecret,
  // Event logs
  kLogParse,
  kLogReplay,
};

/// The name that stands in results, such as "pcr_digest".
[[nodiscard]] std::string_view check_name(Check check) noexcept;

/// Which check evidence failed. `what` is a literal that says what was found and what to do.
struct Refusal {
  Check check = Check::kMalformed;
  const char* what = "";
};

/// What a check gives, or why it refuses.
template <typename T>
using Judged = Result<T, Refusal>;

}  // namespace chancery::attest
