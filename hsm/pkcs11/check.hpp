#pragma once

#include <chancery/result.hpp>

#include "hsm/pkcs11/cryptoki.hpp"

namespace chancery::hsm {

/// The one gate for results of a PKCS#11 module: success is exactly CKR_OK.
/// \param what  says what to do when the code itself has nothing more specific to say; a literal
/// \return success, or the error that the code stands for, with the code as `native`
[[nodiscard]] Status check_pkcs11(CK_RV rv, const char* what);

/// Whether a session and the handles found in it are of no more use after this code. Another session, logged
/// in again, may do.
[[nodiscard]] bool ends_session(CK_RV rv) noexcept;

/// Whether the token did not accept the PIN. It must never be tried again then: tokens lock themselves.
[[nodiscard]] bool refuses_pin(CK_RV rv) noexcept;

}  // namespace chancery::hsm
