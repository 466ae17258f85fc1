#include "hsm/pkcs11/check.hpp"

namespace chancery::hsm {

bool ends_session(CK_RV rv) noexcept {
  switch (rv) {
    case CKR_DEVICE_ERROR:
    case CKR_DEVICE_REMOVED:
    case CKR_KEY_HANDLE_INVALID:
    case CKR_OBJECT_HANDLE_INVALID:
    case CKR_OPERATION_ACTIVE:
    case CKR_OPERATION_NOT_INITIALIZED:
    case CKR_SESSION_CLOSED:
    case CKR_SESSION_COUNT:
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SLOT_ID_INVALID:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_TOKEN_NOT_RECOGNIZED:
    case CKR_USER_NOT_LOGGED_IN:
      return true;
    default:
      return false;
  }
}

bool refuses_pin(CK_RV rv) noexcept {
  switch (rv) {
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
    case CKR_PIN_EXPIRED:
    case CKR_PIN_LOCKED:
      return true;
    default:
      return false;
  }
}

Status check_pkcs11(CK_RV rv, const char* what) {
  using enum ErrorCode;
  switch (rv) {
    case CKR_OK:
      return {};
    case CKR_DEVICE_REMOVED:
    case CKR_SLOT_ID_INVALID:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_TOKEN_NOT_RECOGNIZED:
      return Error{kDeviceUnavailable, "the token is not there: it is sought again at the next request", rv};
    case CKR_SESSION_CLOSED:
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_USER_NOT_LOGGED_IN:
      return Error{kDeviceUnavailable, "the token ended the session again and again: look at its own log",
                   rv};
    case CKR_SESSION_COUNT:
      return Error{kDeviceUnavailable,
                   "the token has no session left: lower max_sessions, or end other programs that use it",
                   rv};
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
      return Error{kPinRefused,
                   "the token refused the PIN, which is not tried again: correct the PIN file and restart",
                   rv};
    case CKR_PIN_EXPIRED:
      return Error{kPinRefused,
                   "the token's PIN has expired: set a new one with the token's tools, correct the PIN file "
                   "and restart",
                   rv};
    case CKR_PIN_LOCKED:
      return Error{kPinRefused,
                   "the token has locked the PIN: unlock it as its security officer, then restart", rv};
    case CKR_DEVICE_ERROR:
      return Error{kDeviceError, "the token or its connection is out of order: look at its own log", rv};
    default:
      return Error{kDeviceError, what, rv};
  }
}

}  // namespace chancery::hsm
