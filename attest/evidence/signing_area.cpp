#include "attest/evidence/signing_area.hpp"

#include <algorithm>

#include <chancery/bytes.hpp>

#include "attest/evidence/tpm_codec.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::attest {

TPMT_PUBLIC signing_area(TPMA_OBJECT attributes) {
  TPMT_PUBLIC area{};
  area.type = TPM2_ALG_ECC;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = attributes;
  TPMS_ECC_PARMS& ecc = area.parameters.eccDetail;
  ecc.symmetric.algorithm = TPM2_ALG_NULL;
  ecc.scheme.scheme = TPM2_ALG_ECDSA;
  ecc.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
  ecc.curveID = TPM2_ECC_NIST_P256;
  ecc.kdf.scheme = TPM2_ALG_NULL;
  return area;
}

TPMT_PUBLIC with_point(TPMT_PUBLIC area, const PublicKey& key) {
  area.unique.ecc.x = sized<TPM2B_ECC_PARAMETER>(key.x());
  area.unique.ecc.y = sized<TPM2B_ECC_PARAMETER>(key.y());
  return area;
}

TPMT_PUBLIC signer_area(const PublicKey& key) {
  return with_point(signing_area(TPMA_OBJECT_SIGN_ENCRYPT), key);
}

Name signer_name(const PublicKey& key) {
  Name name{0x00, 0x0B};
  std::ranges::copy(sha256(write_public(signer_area(key)).value()), name.begin() + 2);
  return name;
}

}  // namespace chancery::attest
