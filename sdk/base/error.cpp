#include <array>

#include <chancery/error.hpp>

namespace chancery {
namespace {

struct Row {
  ErrorCode code;
  std::string_view name;
};

using enum ErrorCode;

constexpr auto kRows = std::to_array<Row>({
    {kInvalidArgument, "invalid_argument"},
    {kMalformed, "malformed"},
    {kNonCanonical, "non_canonical"},
    {kDuplicateMember, "duplicate_member"},
    {kNonFinite, "non_finite"},
    {kTooLarge, "too_large"},
    {kUnsupportedAlgorithm, "unsupported_algorithm"},
    {kInvalidKey, "invalid_key"},
    {kSignatureInvalid, "signature_invalid"},
    {kEvidenceRefused, "evidence_refused"},
    {kNotNarrower, "not_narrower"},
    {kNoMeet, "no_meet"},
    {kNothingGranted, "nothing_granted"},
    {kDepthExhausted, "depth_exhausted"},
    {kParentDenied, "parent_denied"},
    {kCeilingExceeded, "ceiling_exceeded"},
    {kUnboundedBudget, "unbounded_budget"},
    {kAudienceNotGranted, "audience_not_granted"},
    {kLimitExceeded, "limit_exceeded"},
    {kCustodyUnproven, "custody_unproven"},
    {kUnauthenticated, "unauthenticated"},
    {kForbidden, "forbidden"},
    {kNotHolder, "not_holder"},
    {kNonceRequired, "nonce_required"},
    {kProofRefused, "proof_refused"},
    {kChainRefused, "chain_refused"},
    {kDeviceUnavailable, "device_unavailable"},
    {kDeviceBusy, "device_busy"},
    {kDeviceTimeout, "device_timeout"},
    {kDeviceError, "device_error"},
    {kDeviceLockout, "device_lockout"},
    {kKeyLost, "key_lost"},
    {kKeyMismatch, "key_mismatch"},
    {kWrongDevice, "wrong_device"},
    {kSimulatorRefused, "simulator_refused"},
    {kBackendUnknown, "backend_unknown"},
    {kPinRefused, "pin_refused"},
    {kNoAttester, "no_attester"},
    {kStoreUnavailable, "store_unavailable"},
    {kStoreCorrupt, "store_corrupt"},
    {kStoreLocked, "store_locked"},
    {kNotFound, "not_found"},
    {kConflict, "conflict"},
    {kRetired, "retired"},
    {kSpendingHalted, "spending_halted"},
    {kBadRequest, "bad_request"},
    {kRouteUnknown, "route_unknown"},
    {kMethodNotAllowed, "method_not_allowed"},
    {kNotAcceptable, "not_acceptable"},
    {kUnsupportedMediaType, "unsupported_media_type"},
    {kRequestTimeout, "request_timeout"},
    {kOverloaded, "overloaded"},
    {kShuttingDown, "shutting_down"},
    {kHeadersTooLarge, "headers_too_large"},
    {kConnectFailed, "connect_failed"},
    {kTlsFailed, "tls_failed"},
    {kTimeout, "timeout"},
    {kBadResponse, "bad_response"},
    {kRequestRefused, "request_refused"},
    {kNoTrust, "no_trust"},
    {kCredentialExpired, "credential_expired"},
    {kConfigInvalid, "config_invalid"},
    {kFileUnreadable, "file_unreadable"},
    {kFilePermissions, "file_permissions"},
    {kFileUnwritable, "file_unwritable"},
    {kRefusedAsRoot, "refused_as_root"},
    {kProcessFailed, "process_failed"},
    {kCryptoFailure, "crypto_failure"},
    {kInternal, "internal"},
});

constexpr auto kCodes = [] {
  std::array<ErrorCode, kRows.size()> codes{};
  for (std::size_t i = 0; i < kRows.size(); ++i) codes[i] = kRows[i].code;
  return codes;
}();

}  // namespace

std::string_view error_name(ErrorCode code) noexcept {
  for (const Row& row : kRows) {
    if (row.code == code) return row.name;
  }
  return "internal";
}

std::span<const ErrorCode> all_error_codes() noexcept { return kCodes; }

}  // namespace chancery
