#pragma once

#include <optional>

#include "attest/evidence/public_area.hpp"
#include "attest/evidence/refusal.hpp"
#include "attest/verify/certificate.hpp"

namespace chancery::attest {

/// What there is of an attestation key before it is judged. Both may be missing: then nothing that it signs is
/// accepted.
struct PresentedKey {
  std::optional<PublicArea> area;
  std::optional<Certificate> certificate;
  /// Judged where there are roots.
  CertificatePath path{};
};

/// A key that may sign statements: it has the properties of an attestation key, or a certificate says so.
struct AttestationKey {
  std::optional<PublicArea> area;  ///< unknown for a key that is known by its certificate only
  openssl::Pkey key;               ///< none: nothing is known of the key
};

/// Judges an attestation key in this order: its algorithm and point (kAkKey, kMalformed); that it is restricted, signs, does
/// not decrypt, was made in its TPM and cannot leave it (kAkAttributes); that its certificate is for it (kCertParse,
/// kAkCertKey) and leads to a root (kChain, kTime).
[[nodiscard]] Judged<AttestationKey> check_attestation_key(const PresentedKey& presented);

}  // namespace chancery::attest
