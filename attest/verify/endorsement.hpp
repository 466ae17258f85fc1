#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/custody.hpp>

#include "attest/evidence/public_area.hpp"
#include "attest/evidence/refusal.hpp"
#include "attest/verify/certificate.hpp"

namespace chancery::attest {

/// Why an EK is taken for a TPM's.
enum class Endorsement : std::uint8_t {
  kRoot,      ///< its certificate leads to a configured root
  kPinned,    ///< the operator named this EK
  kFirstUse,  ///< nothing speaks for it: the operator decides when it is first seen
};

/// "root", "pinned", "first-use": as they stand in attestation results.
[[nodiscard]] std::string_view endorsement_name(Endorsement endorsement) noexcept;
[[nodiscard]] std::optional<Endorsement> parse_endorsement(std::string_view name) noexcept;

/// Whom a verifier believes about EKs.
struct Endorsers {
  std::vector<Certificate> roots;  ///< of TPM vendors: worth kTpmCertified
  std::vector<Certificate>
      emulator_roots;                      ///< of simulators: worth kTpmCertifiedEmulated, also if in `roots`
  std::vector<Certificate> intermediates;  ///< CAs of either between an EK's certificate and a root
  /// SHA-256 of an EK's certificate (DER without its padding), or of its public area (TPMT_PUBLIC).
  std::set<Sha256Digest> pins;
  /// An EK that nothing speaks for waits for the operator's approval instead of being refused.
  bool first_use = false;
};

/// An EK that may be enrolled.
struct BelievedEk {
  Endorsement by = Endorsement::kFirstUse;
  std::optional<Custody> worth;  ///< of keys that its TPM certifies; none: the operator decides
  TpmIdentity identity;  ///< as a certificate says that leads to a root or is pinned itself; else empty
  /// Hexadecimal SHA-256 of such a certificate, else of the public area: what an operator compares and pins. One EK has two, so whether an EK is known already is asked by its Name and not by this.
  std::string fingerprint;
};

/// Judges an EK, in this order:
/// 1. it is of a TCG template's kind, so that nobody but its TPM opens a credential for it (kEkTemplate);
/// 2. its certificate, if there is one, can be read (kCertParse) and is for it (kKeyMismatch);
/// 3. where the certificate leads to an emulator's root, even one that is out of date, the EK is a simulator's:
///    neither a pin nor a vendor's root makes more of it than kTpmCertifiedEmulated;
/// 4. an EK that is pinned is believed: the pin stands in for its certificate, which may be out of date, of an
///    unknown CA or odd, and is there for the TPMs whose vendors issue such;
/// 5. nothing critical in the certificate is unknown (kCriticalExtension);
/// 6. the certificate leads to a root (kChain) and is a good EK certificate: kTime, kIsCa, kNotEk, kKeyUsage;
/// 7. without a certificate, or with one that leads to no root (kChain), it waits for the operator where first
///    use is allowed, else it is refused (kNoEndorsement, kChain). What 1 to 6 refuse for any other reason
///    stays refused: a root that is known speaks against it. A host can hide its certificate and be taken for
///    one that has none, which is why the operator decides, and sees the fingerprint of the public area then.
/// Pure and thread-safe; a few verifications of signatures.
/// \param certificate  DER as read from NV, padding included; empty: the TPM has none
[[nodiscard]] Judged<BelievedEk> judge_ek(const PublicArea& ek, ByteView certificate,
                                          const Endorsers& endorsers, std::chrono::sys_seconds now);

/// The fingerprints of an EK of which judge_ek() gives one, for whoever has it at hand and compares. Nothing is judged.
/// \param ek_public    TPMT_PUBLIC
/// \param certificate  as for judge_ek()
/// \return those of the public area and of the certificate if there is one, or kCertParse
[[nodiscard]] Judged<std::vector<std::string>> ek_fingerprints(ByteView ek_public, ByteView certificate);

}  // namespace chancery::attest
