#include "hsm/tpm/key_blob.hpp"

#include <algorithm>

#include <tss2/tss2_mu.h>

#include "hsm/tpm/check.hpp"

namespace chancery::hsm {
namespace {

constexpr TPMA_OBJECT kBoundHere =
    TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA;
constexpr TPMA_OBJECT kMadeHere = kBoundHere | TPMA_OBJECT_SENSITIVEDATAORIGIN;

constexpr std::size_t kSlotSize = 2;

constexpr Error kNotOurs{ErrorCode::kKeyLost, "the stored key is damaged: it is not what a TPM made for us"};

TPM2B_PUBLIC p256_template(TPMA_OBJECT attributes) {
  TPM2B_PUBLIC area{};
  area.publicArea.type = TPM2_ALG_ECC;
  area.publicArea.nameAlg = TPM2_ALG_SHA256;
  area.publicArea.objectAttributes = attributes;
  TPMS_ECC_PARMS& ecc = area.publicArea.parameters.eccDetail;
  ecc.curveID = TPM2_ECC_NIST_P256;
  ecc.symmetric.algorithm = TPM2_ALG_NULL;
  ecc.scheme.scheme = TPM2_ALG_NULL;
  ecc.kdf.scheme = TPM2_ALG_NULL;
  return area;
}

/// Both parts, and the slot where two octets are left behind them; whatever they are.
Result<KeyParts> read_parts(ByteView blob) {
  KeyParts parts;
  std::size_t offset = 0;
  if (Tss2_MU_TPM2B_PUBLIC_Unmarshal(blob.data(), blob.size(), &offset, &parts.public_area) !=
          TSS2_RC_SUCCESS ||
      Tss2_MU_TPM2B_PRIVATE_Unmarshal(blob.data(), blob.size(), &offset, &parts.private_area) !=
          TSS2_RC_SUCCESS) {
    return kNotOurs;
  }
  const ByteView rest = blob.subspan(offset);
  if (rest.size() == kSlotSize) parts.slot = static_cast<std::uint16_t>(rest[0] << 8 | rest[1]);
  const auto again = marshal(parts);
  if (!again || !std::ranges::equal(*again, blob)) return kNotOurs;
  return parts;
}

bool has_policy(const TPM2B_PUBLIC& area) { return area.publicArea.authPolicy.size > 0; }

bool is_signing_key(const TPM2B_PUBLIC& area) {
  if (!has_policy(area)) return is_like(area, signing_key_template());
  Sha256Digest policy{};
  if (area.publicArea.authPolicy.size != policy.size()) return false;
  std::copy_n(area.publicArea.authPolicy.buffer, policy.size(), policy.begin());
  return is_like(area, switched_key_template(policy));
}

}  // namespace

TPM2B_PUBLIC signing_key_template() {
  TPM2B_PUBLIC area = p256_template(kMadeHere | TPMA_OBJECT_SIGN_ENCRYPT);
  area.publicArea.parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDSA;
  area.publicArea.parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
  return area;
}

TPM2B_PUBLIC switched_key_template(const Sha256Digest& policy) {
  TPM2B_PUBLIC area = signing_key_template();
  area.publicArea.objectAttributes &= ~TPMA_OBJECT{TPMA_OBJECT_USERWITHAUTH};
  area.publicArea.authPolicy.size = static_cast<UINT16>(policy.size());
  std::ranges::copy(policy, area.publicArea.authPolicy.buffer);
  return area;
}

TPM2B_PUBLIC storage_key_template() {
  TPM2B_PUBLIC area = p256_template(kMadeHere | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT);
  area.publicArea.unique.ecc.x.size =
      32;  // zeros, as the guidance has them; another size would be another key
  area.publicArea.unique.ecc.y.size = 32;
  TPMT_SYM_DEF_OBJECT& symmetric = area.publicArea.parameters.eccDetail.symmetric;
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = 128;
  symmetric.mode.aes = TPM2_ALG_CFB;
  return area;
}

TPM2B_PUBLIC sealed_data_template() {
  TPM2B_PUBLIC area{};
  area.publicArea.type = TPM2_ALG_KEYEDHASH;
  area.publicArea.nameAlg = TPM2_ALG_SHA256;
  area.publicArea.objectAttributes = kBoundHere;  // the data is ours, and not the TPM's
  area.publicArea.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
  return area;
}

bool is_like(const TPM2B_PUBLIC& area, const TPM2B_PUBLIC& wanted) {
  if (area.publicArea.type != wanted.publicArea.type)
    return false;  // says which member of the union is meant
  TPM2B_PUBLIC expected = wanted;
  expected.publicArea.unique = area.publicArea.unique;
  const auto given = marshal(KeyParts{area, {}});
  const auto asked = marshal(KeyParts{expected, {}});
  return given && asked && *given == *asked;
}

Result<PublicKey> signing_key_of(const TPM2B_PUBLIC& area) {
  std::array<std::uint8_t, 32> x;
  std::array<std::uint8_t, 32> y;
  if (!is_signing_key(area) || !copy_right_aligned(area.publicArea.unique.ecc.x, x) ||
      !copy_right_aligned(area.publicArea.unique.ecc.y, y)) {
    return kNotOurs;
  }
  return PublicKey::p256(x, y);
}

Result<Bytes> marshal(const KeyParts& parts) {
  Bytes blob(sizeof(TPM2B_PUBLIC) + sizeof(TPM2B_PRIVATE));
  std::size_t size = 0;
  constexpr const char* kWhat = "the key could not be marshalled";
  CHANCERY_TRY(
      check_tpm(Tss2_MU_TPM2B_PUBLIC_Marshal(&parts.public_area, blob.data(), blob.size(), &size), kWhat));
  CHANCERY_TRY(
      check_tpm(Tss2_MU_TPM2B_PRIVATE_Marshal(&parts.private_area, blob.data(), blob.size(), &size), kWhat));
  blob.resize(size);
  if (parts.slot) {
    blob.push_back(static_cast<std::uint8_t>(*parts.slot >> 8));
    blob.push_back(static_cast<std::uint8_t>(*parts.slot & 0xFF));
  }
  return blob;
}

Result<KeyParts> unmarshal(ByteView blob) {
  CHANCERY_ASSIGN(KeyParts parts, read_parts(blob));
  if (!signing_key_of(parts.public_area) || parts.slot.has_value() != has_policy(parts.public_area))
    return kNotOurs;
  return parts;
}

Result<KeyParts> unmarshal_like(ByteView blob, const TPM2B_PUBLIC& wanted) {
  CHANCERY_ASSIGN(KeyParts parts, read_parts(blob));
  if (parts.slot || !is_like(parts.public_area, wanted)) return kNotOurs;
  return parts;
}

bool copy_right_aligned(const TPM2B_ECC_PARAMETER& from, std::span<std::uint8_t> to) noexcept {
  if (from.size > to.size()) return false;
  std::ranges::fill(to, std::uint8_t{0});
  std::copy_n(from.buffer, from.size, to.end() - from.size);
  return true;
}

}  // namespace chancery::hsm
