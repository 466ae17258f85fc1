#include "hsm/tpm/endorsement.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "hsm/tpm/key_blob.hpp"

namespace chancery::hsm {
namespace {

// PolicySecret(endorsement hierarchy) under SHA-256, and the OR of it with two others under SHA-384 (TCG EK Credential
// Profile, B.6).
constexpr std::array<std::uint8_t, 32> kPolicyA{
    0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xB3, 0xF8, 0x1A, 0x90, 0xCC, 0x8D, 0x46, 0xA5, 0xD7, 0x24,
    0xFD, 0x52, 0xD7, 0x6E, 0x06, 0x52, 0x0B, 0x64, 0xF2, 0xA1, 0xDA, 0x1B, 0x33, 0x14, 0x69, 0xAA};
constexpr std::array<std::uint8_t, 48> kPolicyB384{
    0xB2, 0x6E, 0x7D, 0x28, 0xD1, 0x1A, 0x50, 0xBC, 0x53, 0xD8, 0x82, 0xBC, 0xF5, 0xFD, 0x3A, 0x1A,
    0x07, 0x41, 0x48, 0xBB, 0x35, 0xD3, 0xB4, 0xE4, 0xCB, 0x1C, 0x0A, 0xD9, 0xBD, 0xE4, 0x19, 0xCA,
    0xCB, 0x47, 0xBA, 0x09, 0x69, 0x96, 0x46, 0x15, 0x0F, 0x9F, 0xC0, 0x00, 0xF3, 0xF8, 0x0E, 0x12};

constexpr TPMA_OBJECT kEkAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                      TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_ADMINWITHPOLICY |
                                      TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
constexpr std::uint16_t kRsaOctets = 256;
constexpr std::uint16_t kReadAtOnce = 512;  // any TPM gives as many

struct CertificatePlace {
  EkKind kind;
  TPM2_HANDLE index;
};
constexpr std::array kPlaces{CertificatePlace{EkKind::kEccP256, 0x01C0000A},
                             CertificatePlace{EkKind::kEccP384, 0x01C00016},
                             CertificatePlace{EkKind::kRsa2048, 0x01C00002}};

TPMT_SYM_DEF_OBJECT aes_cfb(std::uint16_t bits) {
  TPMT_SYM_DEF_OBJECT out{};
  out.algorithm = TPM2_ALG_AES;
  out.keyBits.aes = bits;
  out.mode.aes = TPM2_ALG_CFB;
  return out;
}

void set_policy(TPMT_PUBLIC& area, std::span<const std::uint8_t> policy) {
  area.authPolicy.size = static_cast<UINT16>(policy.size());
  std::ranges::copy(policy, area.authPolicy.buffer);
}

void make_ecc(TPMT_PUBLIC& area, TPM2_ECC_CURVE curve, std::uint16_t aes_bits) {
  area.type = TPM2_ALG_ECC;
  TPMS_ECC_PARMS& ecc = area.parameters.eccDetail;
  ecc.symmetric = aes_cfb(aes_bits);
  ecc.scheme.scheme = TPM2_ALG_NULL;
  ecc.curveID = curve;
  ecc.kdf.scheme = TPM2_ALG_NULL;
}

void make_rsa(TPMT_PUBLIC& area) {
  area.type = TPM2_ALG_RSA;
  TPMS_RSA_PARMS& rsa = area.parameters.rsaDetail;
  rsa.symmetric = aes_cfb(128);
  rsa.scheme.scheme = TPM2_ALG_NULL;
  rsa.keyBits = kRsaOctets * 8;
  area.unique.rsa.size = kRsaOctets;
}

// The EK's policy is that whoever uses it has the endorsement hierarchy, whose auth value is empty.
Result<TransientHandle> meet_policy(TpmConnection& tpm) {
  CHANCERY_ASSIGN(TransientHandle session, tpm.start_policy_session());
  CHANCERY_TRY(tpm.command(
      "the TPM's endorsement hierarchy has an authorization value: attestation needs it empty", [&] {
        return Esys_PolicySecret(tpm.esys(), ESYS_TR_RH_ENDORSEMENT, session.get(), ESYS_TR_PASSWORD,
                                 ESYS_TR_NONE, ESYS_TR_NONE, nullptr, nullptr, nullptr, 0, nullptr, nullptr);
      }));
  return session;
}

/// An NV index that holds a certificate, while it is read.
class CertificateIndex {
 public:
  explicit CertificateIndex(TpmConnection& tpm) : tpm_(tpm) {}
  ~CertificateIndex() {
    if (handle_ != ESYS_TR_NONE) Esys_TR_Close(tpm_.esys(), &handle_);
  }
  CertificateIndex(const CertificateIndex&) = delete;
  CertificateIndex& operator=(const CertificateIndex&) = delete;

  Result<Bytes> read(TPM2_HANDLE index) {
    CHANCERY_TRY(tpm_.command("the TPM does not show its EK certificate", [&] {
      return Esys_TR_FromTPMPublic(tpm_.esys(), index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &handle_);
    }));
    TPM2B_NV_PUBLIC* area = nullptr;
    CHANCERY_TRY(tpm_.command("the TPM does not describe its EK certificate", [&] {
      return Esys_NV_ReadPublic(tpm_.esys(), handle_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &area,
                                nullptr);
    }));
    const EsysOwned<TPM2B_NV_PUBLIC> owned(area);
    Bytes out;
    while (out.size() < area->nvPublic.dataSize) {
      CHANCERY_TRY(read_some(out, area->nvPublic.dataSize));
    }
    return out;
  }

 private:
  Status read_some(Bytes& out, std::uint16_t size) {
    const auto offset = static_cast<std::uint16_t>(out.size());
    const auto wanted = std::min<std::uint16_t>(kReadAtOnce, static_cast<std::uint16_t>(size - offset));
    TPM2B_MAX_NV_BUFFER* data = nullptr;
    CHANCERY_TRY(tpm_.command("the TPM does not give out its EK certificate", [&] {
      return Esys_NV_Read(tpm_.esys(), handle_, handle_, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, wanted,
                          offset, &data);
    }));
    const EsysOwned<TPM2B_MAX_NV_BUFFER> owned(data);
    if (data->size != wanted)
      return Error{ErrorCode::kDeviceError, "the TPM gave out a part of its certificate only"};
    out.insert(out.end(), data->buffer, data->buffer + data->size);
    return {};
  }

  TpmConnection& tpm_;
  ESYS_TR handle_ = ESYS_TR_NONE;
};

Result<bool> has_index(TpmConnection& tpm, TPM2_HANDLE index) {
  CHANCERY_ASSIGN(const auto data,
                  tpm.capability("the TPM does not list its NV indexes", TPM2_CAP_HANDLES, index, 1));
  return data->data.handles.count == 1 && data->data.handles.handle[0] == index;
}

TPM2_HANDLE certificate_index(EkKind kind) {
  return std::ranges::find(kPlaces, kind, &CertificatePlace::kind)->index;
}

}  // namespace

std::optional<EkKind> ek_kind(std::uint8_t value) noexcept {
  const auto kind = static_cast<EkKind>(value);
  return std::ranges::find(kPlaces, kind, &CertificatePlace::kind) == kPlaces.end() ? std::nullopt
                                                                                    : std::optional(kind);
}

TPM2B_PUBLIC ek_template(EkKind kind) {
  TPM2B_PUBLIC out{};
  TPMT_PUBLIC& area = out.publicArea;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = kEkAttributes;
  switch (kind) {
    case EkKind::kEccP256:
      set_policy(area, kPolicyA);
      make_ecc(area, TPM2_ECC_NIST_P256, 128);
      area.unique.ecc.x.size = area.unique.ecc.y.size = 32;
      break;
    case EkKind::kEccP384:
      area.nameAlg = TPM2_ALG_SHA384;
      area.objectAttributes |= TPMA_OBJECT_USERWITHAUTH;
      set_policy(area, kPolicyB384);
      make_ecc(area, TPM2_ECC_NIST_P384, 256);
      break;
    case EkKind::kRsa2048:
      set_policy(area, kPolicyA);
      make_rsa(area);
      break;
  }
  return out;
}

Result<EndorsementKey> bring_in_ek(TpmConnection& tpm, EkKind kind) {
  EndorsementKey key;
  const TPM2B_PUBLIC wanted = ek_template(kind);
  if ((wanted.publicArea.objectAttributes & TPMA_OBJECT_USERWITHAUTH) == 0) {
    CHANCERY_ASSIGN(key.policy, meet_policy(tpm));
  }
  const TPM2B_SENSITIVE_CREATE sensitive{};
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION pcrs{};
  ESYS_TR handle = ESYS_TR_NONE;
  TPM2B_PUBLIC* public_area = nullptr;
  CHANCERY_TRY(tpm.command("the TPM does not bring up its endorsement key", [&] {
    return Esys_CreatePrimary(tpm.esys(), ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                              ESYS_TR_NONE, &sensitive, &wanted, &outside, &pcrs, &handle, &public_area,
                              nullptr, nullptr, nullptr);
  }));
  const EsysOwned<TPM2B_PUBLIC> owned(public_area);
  key.object = tpm.own_object(handle);
  if (!is_like(*public_area, wanted))
    return Error{ErrorCode::kWrongDevice,
                 "the TPM answered with another kind of endorsement key than was asked for"};
  key.public_area = *public_area;
  return key;
}

Result<EkKind> certified_kind(TpmConnection& tpm) {
  for (const CertificatePlace& place : kPlaces) {
    CHANCERY_ASSIGN(const bool is_there, has_index(tpm, place.index));
    if (is_there) return place.kind;
  }
  return EkKind::kEccP256;
}

Result<Bytes> read_ek_certificate(TpmConnection& tpm, EkKind kind) {
  CHANCERY_ASSIGN(const bool is_there, has_index(tpm, certificate_index(kind)));
  if (!is_there) return Bytes();
  return CertificateIndex(tpm).read(certificate_index(kind));
}

}  // namespace chancery::hsm
