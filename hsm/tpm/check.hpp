#pragma once

#include <tss2/tss2_common.h>

#include <chancery/result.hpp>

namespace chancery::hsm {

/// The one gate for results of the TPM software stack: success is exactly TSS2_RC_SUCCESS.
/// \param what  says what to do when the code itself has nothing more specific to say; a literal
/// \return success, or the error that the code stands for, with the code as `native`
[[nodiscard]] Status check_tpm(TSS2_RC rc, const char* what);

/// Whether the connection or the context is of no more use after this code: errors of any layer but the TPM's
/// own (a context that met one answers 0x70007 ever after), and handles or sessions that the TPM does not
/// know any more.
[[nodiscard]] bool needs_recovery(TSS2_RC rc) noexcept;

/// Whether the TPM says that a parameter of the command is wrong, rather than a handle, a session or its own
/// state.
[[nodiscard]] bool blames_parameter(TSS2_RC rc) noexcept;

/// Whether the TPM refused an authorization value.
[[nodiscard]] bool blames_authorization(TSS2_RC rc) noexcept;

/// Whether the TPM refused because a key's policy is not met, or because the key is not to be used without it.
[[nodiscard]] bool blames_policy(TSS2_RC rc) noexcept;

/// Whether the TPM refused a signature that it was shown.
[[nodiscard]] bool blames_signature(TSS2_RC rc) noexcept;

/// Whether the TPM asks to be called again a little later (RETRY, YIELDED, TESTING, NV_RATE, NV_UNAVAILABLE,
/// MEMORY).
[[nodiscard]] bool asks_for_patience(TSS2_RC rc) noexcept;

}  // namespace chancery::hsm
