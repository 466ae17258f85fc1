#include "daemon/rest/http.hpp"

#include <algorithm>
#include <array>

#include "daemon/service/attestation.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::rest {
namespace {

using enum ErrorCode;

/// Which status an error is answered with; codes that never reach an answer are 500. docs/protocol/errors.md
/// shows the same, and a test compares the two.
struct StatusRow {
  ErrorCode code;
  int status;
};

constexpr auto kStatuses = std::to_array<StatusRow>({
    {kInvalidArgument, 400},
    {kMalformed, 400},
    {kNonCanonical, 400},
    {kDuplicateMember, 400},
    {kNonFinite, 400},
    {kTooLarge, 413},
    {kUnsupportedAlgorithm, 400},
    {kInvalidKey, 400},
    {kSignatureInvalid, 400},
    {kEvidenceRefused, 400},
    {kNotNarrower, 403},
    {kNoMeet, 403},
    {kNothingGranted, 403},
    {kDepthExhausted, 403},
    {kParentDenied, 403},
    {kCeilingExceeded, 403},
    {kUnboundedBudget, 403},
    {kAudienceNotGranted, 403},
    {kLimitExceeded, 403},
    {kCustodyUnproven, 403},
    {kUnauthenticated, 401},
    {kNonceRequired, 401},
    {kProofRefused, 401},
    {kChainRefused, 401},
    {kForbidden, 403},
    {kNotHolder, 403},
    {kDeviceUnavailable, 503},
    {kDeviceBusy, 429},
    {kDeviceTimeout, 503},
    {kDeviceError, 503},
    {kDeviceLockout, 503},
    {kKeyLost, 409},
    {kKeyMismatch, 500},
    {kWrongDevice, 503},
    {kSimulatorRefused, 503},
    {kBackendUnknown, 400},
    {kPinRefused, 503},
    {kNoAttester, 409},
    {kStoreUnavailable, 503},
    {kStoreCorrupt, 503},
    {kStoreLocked, 503},
    {kNotFound, 404},
    {kConflict, 409},
    {kRetired, 409},
    {kSpendingHalted, 503},
    {kBadRequest, 400},
    {kRouteUnknown, 404},
    {kMethodNotAllowed, 405},
    {kNotAcceptable, 406},
    {kUnsupportedMediaType, 415},
    {kRequestTimeout, 408},
    {kOverloaded, 503},
    {kShuttingDown, 503},
    {kHeadersTooLarge, 431},
    // Of a provider that an issuer asks.
    {kConnectFailed, 503},
    {kTlsFailed, 503},
    {kTimeout, 503},
    {kBadResponse, 503},
    {kRequestRefused, 503},
    {kCredentialExpired, 409},
    {kConfigInvalid, 503},
});

std::string_view reason_phrase(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Internal Server Error";
  }
}

/// What a problem document says.
struct Problem {
  ErrorCode code;
  std::string_view detail;
  std::string_view check;  ///< that evidence failed; empty: it is about something else
};

Response describe_problem(int status, const Problem& problem) {
  const std::string name(error_name(problem.code));
  json::Node body = json::Node::object({{"type", "urn:chancery:error:" + name},
                                        {"title", reason_phrase(status)},
                                        {"status", status},
                                        {"detail", problem.detail},
                                        {"code", name}});
  if (!problem.check.empty()) body.set("check", problem.check);
  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body = json::to_jcs(body);
  if (status == 429 || status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace

std::optional<std::string_view> Request::header(std::string_view name) const {
  std::optional<std::string_view> found;
  for (const auto& [field, value] : headers) {
    if (field != name) continue;
    if (found) return std::nullopt;
    found = value;
  }
  return found;
}

int status_of(ErrorCode code) noexcept {
  const auto* row = std::ranges::find(kStatuses, code, &StatusRow::code);
  return row == kStatuses.end() ? 500 : row->status;
}

Response problem(int status, ErrorCode code, std::string_view detail) {
  return describe_problem(status, {code, detail, {}});
}

Response problem(int status, const Error& error) {
  Response response = describe_problem(status, {error.code, error.what, service::refused_check(error)});
  if (status >= 500) response.failure = error;
  response.refusal = error;
  return response;
}

Response problem(const Error& error) { return problem(status_of(error.code), error); }

}  // namespace chancery::rest
