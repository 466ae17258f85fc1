#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace chancery {

/// What went wrong, permanently numbered. Codes are never reused; the hundreds are the areas of
/// docs/protocol/errors.md, and a test compares that page with this enumeration.
enum class ErrorCode : std::uint16_t {
  // 1xx: what we were given
  kInvalidArgument = 100,
  kMalformed = 101,
  kNonCanonical = 102,
  kDuplicateMember = 103,
  kNonFinite = 104,
  kTooLarge = 105,
  kUnsupportedAlgorithm = 106,
  kInvalidKey = 107,
  kSignatureInvalid = 108,
  kEvidenceRefused = 109,

  // 2xx: authority that cannot be given
  kNotNarrower = 200,
  kNoMeet = 201,
  kNothingGranted = 202,
  kDepthExhausted = 203,
  kParentDenied = 204,
  kCeilingExceeded = 205,
  kUnboundedBudget = 206,
  kAudienceNotGranted = 207,
  kLimitExceeded = 208,
  kCustodyUnproven = 209,

  // 3xx: callers
  kUnauthenticated = 300,
  kForbidden = 301,
  kNotHolder = 302,
  kNonceRequired = 303,
  kProofRefused = 304,
  kChainRefused = 305,

  // 4xx: devices that hold keys
  kDeviceUnavailable = 400,
  kDeviceBusy = 401,
  kDeviceTimeout = 402,
  kDeviceError = 403,
  kDeviceLockout = 404,
  kKeyLost = 405,
  kKeyMismatch = 406,
  kWrongDevice = 407,
  kSimulatorRefused = 408,
  kBackendUnknown = 409,
  kPinRefused = 410,
  kNoAttester = 411,

  // 5xx: the store
  kStoreUnavailable = 500,
  kStoreCorrupt = 501,
  kStoreLocked = 502,
  kNotFound = 503,
  kConflict = 504,
  kRetired = 505,
  kSpendingHalted = 506,

  // 6xx: HTTP, as the daemon answers it
  kBadRequest = 600,
  kRouteUnknown = 601,
  kMethodNotAllowed = 602,
  kNotAcceptable = 603,
  kUnsupportedMediaType = 604,
  kRequestTimeout = 605,
  kOverloaded = 606,
  kShuttingDown = 607,
  kHeadersTooLarge = 608,

  // 7xx: the client
  kConnectFailed = 700,
  kTlsFailed = 701,
  kTimeout = 702,
  kBadResponse = 703,
  kRequestRefused = 704,
  kNoTrust = 705,
  kCredentialExpired = 706,

  // 8xx: configuration and files
  kConfigInvalid = 800,
  kFileUnreadable = 801,
  kFilePermissions = 802,
  kFileUnwritable = 803,
  kRefusedAsRoot = 804,
  kProcessFailed = 805,

  // 9xx: ours
  kCryptoFailure = 900,
  kInternal = 901,
};

/// The stable name of a code in snake case, as it stands in problem documents ("device_busy").
std::string_view error_name(ErrorCode code) noexcept;

/// Every code, in ascending order.
std::span<const ErrorCode> all_error_codes() noexcept;

/// An error by value. `what` is always a string literal that says what to do, so that neither a secret
/// nor a byte of the input can get into it.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  const char* what = "";
  std::uint64_t native = 0;  ///< TSS2_RC, CK_RV, errno, OpenSSL or SQLite code; 0 when there is none
  std::int16_t hop = -1;     ///< 0-based token of a chain that it concerns; -1 when it concerns none
};

}  // namespace chancery
