#include "attest/verify/attestation_key.hpp"

#include <utility>

namespace chancery::attest {
namespace {

constexpr TPMA_OBJECT kNeeded = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_FIXEDTPM |
                                TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN;

}  // namespace

Judged<AttestationKey> check_attestation_key(const PresentedKey& presented) {
  AttestationKey accepted{presented.area, nullptr};
  if (presented.area) {
    CHANCERY_ASSIGN(accepted.key, presented.area->key());
    if (!presented.area->has(kNeeded) ||
        (presented.area->area().objectAttributes & TPMA_OBJECT_DECRYPT) != 0) {
      return Refusal{
          Check::kAkAttributes,
          "an attestation key is restricted, signs only, and was made in the TPM that it cannot leave"};
    }
  }
  if (!presented.certificate) return accepted;
  CHANCERY_ASSIGN(openssl::Pkey certified, presented.certificate->key());
  if (accepted.key && EVP_PKEY_eq(accepted.key.get(), certified.get()) != 1)
    return Refusal{Check::kAkCertKey, "the certificate is for another attestation key"};
  if (!presented.path.roots.empty()) CHANCERY_TRY(check_path(*presented.certificate, presented.path));
  if (!accepted.key) accepted.key = std::move(certified);
  return accepted;
}

}  // namespace chancery::attest
