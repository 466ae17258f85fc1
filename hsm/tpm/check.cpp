#include "hsm/tpm/check.hpp"

#include <tss2/tss2_tpm2_types.h>

#include "hsm/tpm/tcti.hpp"

namespace chancery::hsm {
namespace {

// The TPM's own codes may come through a resource manager, which puts its layer in front.
bool is_from_tpm(TSS2_RC rc) noexcept {
  const TSS2_RC layer = rc & TSS2_RC_LAYER_MASK;
  return layer == TSS2_TPM_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER;
}

// Without the number of the handle, session or parameter that it concerns (TPM 2.0 part 2, section 6.6).
TSS2_RC base_code(TSS2_RC rc) noexcept {
  rc &= 0xFFF;
  return (rc & TPM2_RC_FMT1) != 0 ? rc & (TPM2_RC_FMT1 | 0x3F) : rc;
}

}  // namespace

bool needs_recovery(TSS2_RC rc) noexcept {
  if (rc == TSS2_RC_SUCCESS) return false;
  if (!is_from_tpm(rc)) return true;
  switch (base_code(rc)) {
    case TPM2_RC_INITIALIZE:
    case TPM2_RC_REFERENCE_H0:
    case TPM2_RC_REFERENCE_H1:
    case TPM2_RC_REFERENCE_S0:
    case TPM2_RC_OBJECT_MEMORY:
    case TPM2_RC_SESSION_MEMORY:
    case TPM2_RC_SESSION_HANDLES:
      return true;
    default:
      return false;
  }
}

bool blames_parameter(TSS2_RC rc) noexcept {
  return is_from_tpm(rc) && (rc & TPM2_RC_FMT1) != 0 && (rc & TPM2_RC_P) != 0;
}

bool blames_authorization(TSS2_RC rc) noexcept {
  return is_from_tpm(rc) && (base_code(rc) == TPM2_RC_BAD_AUTH || base_code(rc) == TPM2_RC_AUTH_FAIL);
}

bool blames_policy(TSS2_RC rc) noexcept {
  return is_from_tpm(rc) &&
         (base_code(rc) == TPM2_RC_POLICY_FAIL || base_code(rc) == TPM2_RC_AUTH_UNAVAILABLE);
}

bool blames_signature(TSS2_RC rc) noexcept { return is_from_tpm(rc) && base_code(rc) == TPM2_RC_SIGNATURE; }

bool asks_for_patience(TSS2_RC rc) noexcept {
  if (!is_from_tpm(rc)) return false;
  switch (base_code(rc)) {
    case TPM2_RC_RETRY:
    case TPM2_RC_YIELDED:
    case TPM2_RC_TESTING:
    case TPM2_RC_NV_RATE:
    case TPM2_RC_NV_UNAVAILABLE:
    case TPM2_RC_MEMORY:
      return true;
    default:
      return false;
  }
}

Status check_tpm(TSS2_RC rc, const char* what) {
  if (rc == TSS2_RC_SUCCESS) return {};
  if (rc == kTctiTimedOut) {
    return Error{ErrorCode::kDeviceTimeout, "the TPM stopped answering: it is sought again by itself", rc};
  }
  if (!is_from_tpm(rc)) {
    return Error{ErrorCode::kDeviceUnavailable,
                 "the connection to the TPM was lost: it is sought again by itself", rc};
  }
  switch (base_code(rc)) {
    case TPM2_RC_LOCKOUT:
      return Error{
          ErrorCode::kDeviceLockout,
          "the TPM is in dictionary-attack lockout: wait, or reset it with its lockout authorization", rc};
    case TPM2_RC_INTEGRITY:
    case TPM2_RC_BAD_AUTH:
    case TPM2_RC_AUTH_FAIL:
      return Error{
          ErrorCode::kKeyLost,
          "the TPM does not open this key: it was made in another TPM, or before a TPM2_Clear, or its record "
          "was changed",
          rc};
    case TPM2_RC_FAILURE:
      return Error{ErrorCode::kDeviceError, "the TPM is in failure mode: restart the machine", rc};
    default:
      return Error{ErrorCode::kDeviceError, what, rc};
  }
}

}  // namespace chancery::hsm
