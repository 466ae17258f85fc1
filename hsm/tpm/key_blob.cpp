#include "hsm/tpm/key_blob.hpp"

#include <tss2/tss2_mu.h>

#include <algorithm>

#include "hsm/tpm/check.hpp"

namespace chancery::hsm {
namespace {

constexpr TPMA_OBJECT kSigningAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                           TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
                                           TPMA_OBJECT_NODA | TPMA_OBJECT_SIGN_ENCRYPT;
constexpr TPMA_OBJECT kStorageAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                           TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
                                           TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;

constexpr Error kNotOurs{ErrorCode::kKeyLost, "the stored key is damaged: it is not what the TPM made"};

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

bool copy_coordinate(const TPM2B_ECC_PARAMETER& from, std::array<std::uint8_t, 32>& to) {
  if (from.size > to.size()) return false;
  to.fill(0);
  std::copy_n(from.buffer, from.size, to.end() - from.size);  // a TPM may leave leading zeros out
  return true;
}

// Everything of the template but the point itself.
bool is_as_asked(const TPMT_PUBLIC& area) {
  const TPMT_PUBLIC wanted = signing_key_template().publicArea;
  const TPMS_ECC_PARMS& ecc = area.parameters.eccDetail;
  const TPMS_ECC_PARMS& asked = wanted.parameters.eccDetail;
  return area.type == wanted.type && area.nameAlg == wanted.nameAlg && area.objectAttributes == wanted.objectAttributes &&
         area.authPolicy.size == 0 && ecc.curveID == asked.curveID && ecc.symmetric.algorithm == asked.symmetric.algorithm &&
         ecc.scheme.scheme == asked.scheme.scheme && ecc.scheme.details.ecdsa.hashAlg == asked.scheme.details.ecdsa.hashAlg &&
         ecc.kdf.scheme == asked.kdf.scheme;
}

}  // namespace

TPM2B_PUBLIC signing_key_template() {
  TPM2B_PUBLIC area = p256_template(kSigningAttributes);
  area.publicArea.parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDSA;
  area.publicArea.parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
  return area;
}

TPM2B_PUBLIC storage_key_template() {
  TPM2B_PUBLIC area = p256_template(kStorageAttributes);
  TPMT_SYM_DEF_OBJECT& symmetric = area.publicArea.parameters.eccDetail.symmetric;
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = 128;
  symmetric.mode.aes = TPM2_ALG_CFB;
  return area;
}

Result<Bytes> marshal(const KeyParts& parts) {
  Bytes blob(sizeof(TPM2B_PUBLIC) + sizeof(TPM2B_PRIVATE));
  std::size_t size = 0;
  constexpr const char* kWhat = "the key could not be marshalled";
  CHANCERY_TRY(check_tpm(Tss2_MU_TPM2B_PUBLIC_Marshal(&parts.public_area, blob.data(), blob.size(), &size), kWhat));
  CHANCERY_TRY(check_tpm(Tss2_MU_TPM2B_PRIVATE_Marshal(&parts.private_area, blob.data(), blob.size(), &size), kWhat));
  blob.resize(size);
  return blob;
}

Result<KeyParts> unmarshal(ByteView blob) {
  KeyParts parts;
  std::size_t offset = 0;
  if (Tss2_MU_TPM2B_PUBLIC_Unmarshal(blob.data(), blob.size(), &offset, &parts.public_area) != TSS2_RC_SUCCESS ||
      Tss2_MU_TPM2B_PRIVATE_Unmarshal(blob.data(), blob.size(), &offset, &parts.private_area) != TSS2_RC_SUCCESS ||
      offset != blob.size() || !is_as_asked(parts.public_area.publicArea)) {
    return kNotOurs;
  }
  const auto again = marshal(parts);
  if (!again || !std::ranges::equal(*again, blob)) return kNotOurs;
  return parts;
}

Result<PublicKey> public_key_of(const TPM2B_PUBLIC& area) {
  std::array<std::uint8_t, 32> x;
  std::array<std::uint8_t, 32> y;
  const TPMT_PUBLIC& public_area = area.publicArea;
  if (public_area.type != TPM2_ALG_ECC || public_area.parameters.eccDetail.curveID != TPM2_ECC_NIST_P256 ||
      !copy_coordinate(public_area.unique.ecc.x, x) || !copy_coordinate(public_area.unique.ecc.y, y)) {
    return Error{ErrorCode::kDeviceError, "the TPM answered with a key that is not on P-256"};
  }
  return PublicKey::p256(x, y);
}

}  // namespace chancery::hsm
