#include "attest/verify/endorsement.hpp"

#include <algorithm>
#include <array>

#include "attest/evidence/tpm_codec.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::attest {
namespace {

struct Named {
  Endorsement endorsement;
  std::string_view name;
};
constexpr std::array kNames{Named{Endorsement::kRoot, "root"}, Named{Endorsement::kPinned, "pinned"},
                            Named{Endorsement::kFirstUse, "first-use"}};

bool is_aes_cfb(const TPMT_SYM_DEF_OBJECT& symmetric) {
  return symmetric.algorithm == TPM2_ALG_AES && symmetric.mode.aes == TPM2_ALG_CFB;
}

// TCG EK Credential Profile 2.5, B.3 and B.4; of the policies, which differ, none is asked for.
Judged<void> check_template(const PublicArea& ek) {
  constexpr TPMA_OBJECT kNeeded = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                  TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_RESTRICTED |
                                  TPMA_OBJECT_DECRYPT;
  const TPMT_PUBLIC& area = ek.area();
  const bool is_bound = ek.has(kNeeded) && !ek.has(TPMA_OBJECT_SIGN_ENCRYPT);
  const bool is_rsa = area.type == TPM2_ALG_RSA && is_aes_cfb(area.parameters.rsaDetail.symmetric) &&
                      area.parameters.rsaDetail.scheme.scheme == TPM2_ALG_NULL;
  const bool is_ecc = area.type == TPM2_ALG_ECC && is_aes_cfb(area.parameters.eccDetail.symmetric) &&
                      area.parameters.eccDetail.scheme.scheme == TPM2_ALG_NULL;
  if (is_bound && (is_rsa || is_ecc) && !ek.name_hash().is_weak() && ek.key()) return {};
  return Refusal{
      Check::kEkTemplate,
      "the EK is of no TCG template's kind: restricted, for decryption, bound to its TPM, RSA-2048, P-256 or "
      "P-384: make it from one"};
}

Judged<std::optional<Certificate>> read_own_certificate(const PublicArea& ek, ByteView der) {
  if (der.empty()) return std::optional<Certificate>();
  CHANCERY_ASSIGN(Certificate certificate, Certificate::parse(der));
  CHANCERY_TRY(check_certified_key(certificate, ek));
  return std::optional(std::move(certificate));
}

bool leads_to(const Certificate& leaf, const CertificatePath& path) {
  const auto found = check_path(leaf, path);
  return found || found.error().check == Check::kTime;
}

/// What can be said of an EK before anybody is asked about it.
struct PresentedEk {
  std::optional<Certificate> certificate;
  Sha256Digest public_digest;

  [[nodiscard]] bool has_pinned_certificate(const std::set<Sha256Digest>& pins) const {
    return certificate && pins.contains(certificate->fingerprint());
  }
  /// As its certificate says, which somebody vouches for.
  [[nodiscard]] BelievedEk certified(Endorsement by, Custody worth) const {
    return {by, worth, tpm_identity(*certificate), hex_encode(certificate->fingerprint())};
  }
  /// Anybody can make a certificate for an EK: what it says is not shown to those who decide.
  [[nodiscard]] BelievedEk bare(Endorsement by, std::optional<Custody> worth) const {
    return {by, worth, TpmIdentity{}, hex_encode(public_digest)};
  }
};

}  // namespace

std::string_view endorsement_name(Endorsement endorsement) noexcept {
  return std::ranges::find(kNames, endorsement, &Named::endorsement)->name;
}

std::optional<Endorsement> parse_endorsement(std::string_view name) noexcept {
  const auto* const row = std::ranges::find(kNames, name, &Named::name);
  return row == kNames.end() ? std::nullopt : std::optional(row->endorsement);
}

Judged<BelievedEk> judge_ek(const PublicArea& ek, ByteView certificate, const Endorsers& endorsers,
                            std::chrono::sys_seconds now) {
  CHANCERY_TRY(check_template(ek));
  PresentedEk presented;
  CHANCERY_ASSIGN(presented.certificate, read_own_certificate(ek, certificate));
  CHANCERY_ASSIGN(const Bytes public_octets, write_public(ek.area()));
  presented.public_digest = sha256(public_octets);

  const CertificatePath to_emulator{endorsers.intermediates, endorsers.emulator_roots, now};
  const bool is_emulated = presented.certificate && leads_to(*presented.certificate, to_emulator);
  const Custody worth = is_emulated ? Custody::kTpmCertifiedEmulated : Custody::kTpmCertified;
  if (presented.has_pinned_certificate(endorsers.pins))
    return presented.certified(Endorsement::kPinned, worth);
  if (endorsers.pins.contains(presented.public_digest)) return presented.bare(Endorsement::kPinned, worth);

  const BelievedEk undecided = presented.bare(Endorsement::kFirstUse, std::nullopt);
  if (!presented.certificate) {
    if (endorsers.first_use) return undecided;
    return Refusal{Check::kNoEndorsement,
                   "the TPM has no EK certificate: pin the hash of its EK's public area, or allow first use"};
  }
  CHANCERY_TRY(check_critical_extensions(*presented.certificate));
  const CertificatePath to_vendor{endorsers.intermediates, endorsers.roots, now};
  const auto judged =
      check_ek_certificate(*presented.certificate, is_emulated ? to_emulator : to_vendor, &ek);
  if (judged) return presented.certified(Endorsement::kRoot, worth);
  if (judged.error().check == Check::kChain && endorsers.first_use) return undecided;
  return judged.error();
}

Judged<std::vector<std::string>> ek_fingerprints(ByteView ek_public, ByteView certificate) {
  std::vector<std::string> all{hex_encode(sha256(ek_public))};
  if (certificate.empty()) return all;
  CHANCERY_ASSIGN(const Certificate parsed, Certificate::parse(certificate));
  all.push_back(hex_encode(parsed.fingerprint()));
  return all;
}

}  // namespace chancery::attest
