#include "hsm/tpm/key_blob.hpp"

#include <algorithm>

#include <tss2/tss2_mu.h>

#include "hsm/tpm/check.hpp"

namespace chancery::hsm {
namespace {

constexpr TPMA_OBJECT kBoundHere =
    TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA;
constexpr TPMA_OBJECT kMadeHere = kBoundHere | TPMA_OBJECT_SENSITIVEDATAORIGIN;

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

}  // namespace

TPM2B_PUBLIC signing_key_template() {
  TPM2B_PUBLIC area = p256_template(kMadeHere | TPMA_OBJECT_SIGN_ENCRYPT);
  area.publicArea.parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDSA;
  area.publicArea.parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
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
  const auto given = marshal({area, {}});
  const auto asked = marshal({expected, {}});
  return given && asked && *given == *asked;
}

Result<PublicKey> signing_key_of(const TPM2B_PUBLIC& area) {
  std::array<std::uint8_t, 32> x;
  std::array<std::uint8_t, 32> y;
  if (!is_like(area, signing_key_template()) || !copy_right_aligned(area.publicArea.unique.ecc.x, x) ||
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
  return blob;
}

Result<KeyParts> unmarshal(ByteView blob) {
  CHANCERY_ASSIGN(KeyParts parts, unmarshal_like(blob, signing_key_template()));
  if (!signing_key_of(parts.public_area)) return kNotOurs;
  return parts;
}

Result<KeyParts> unmarshal_like(ByteView blob, const TPM2B_PUBLIC& wanted) {
  KeyParts parts;
  std::size_t offset = 0;
  if (Tss2_MU_TPM2B_PUBLIC_Unmarshal(blob.data(), blob.size(), &offset, &parts.public_area) !=
          TSS2_RC_SUCCESS ||
      Tss2_MU_TPM2B_PRIVATE_Unmarshal(blob.data(), blob.size(), &offset, &parts.private_area) !=
          TSS2_RC_SUCCESS ||
      offset != blob.size()) {
    return kNotOurs;
  }
  const auto again = marshal(parts);
  if (!again || !std::ranges::equal(*again, blob) || !is_like(parts.public_area, wanted)) return kNotOurs;
  return parts;
}

bool copy_right_aligned(const TPM2B_ECC_PARAMETER& from, std::span<std::uint8_t> to) noexcept {
  if (from.size > to.size()) return false;
  std::ranges::fill(to, std::uint8_t{0});
  std::copy_n(from.buffer, from.size, to.end() - from.size);
  return true;
}

}  // namespace chancery::hsm
