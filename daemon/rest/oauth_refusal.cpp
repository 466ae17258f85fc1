#include "daemon/rest/oauth_refusal.hpp"

#include <algorithm>
#include <array>

#include "daemon/rest/exchange.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::rest {
namespace {

using enum ErrorCode;

struct NameRow {
  ErrorCode code;
  std::string_view name;
};

// What else a client gets wrong is an invalid_request.
constexpr auto kNames = std::to_array<NameRow>({
    {kUnauthenticated, "invalid_client"},
    {kChainRefused, "invalid_client"},
    {kForbidden, "unauthorized_client"},
    {kNonceRequired, "use_dpop_nonce"},
    {kProofRefused, "invalid_dpop_proof"},
    {kNotNarrower, "invalid_authorization_details"},
    {kNoMeet, "invalid_authorization_details"},
    {kNothingGranted, "invalid_authorization_details"},
    {kCeilingExceeded, "invalid_authorization_details"},
    {kUnboundedBudget, "invalid_authorization_details"},
    {kAudienceNotGranted, "invalid_target"},
    {kNotFound, "invalid_target"},
});

bool is_servers_fault(ErrorCode code) { return status_of(code) == 429 || status_of(code) >= 500; }

std::string_view name_of(ErrorCode code) {
  const auto* row = std::ranges::find(kNames, code, &NameRow::code);
  if (row != kNames.end()) return row->name;
  if (!is_servers_fault(code)) return "invalid_request";
  return status_of(code) == 500 ? "server_error" : "temporarily_unavailable";
}

// RFC 6749 section 5.2 leaves two printable characters out.
std::string description(std::string_view what) {
  std::string text(what);
  std::ranges::replace_if(
      text, [](char c) { return c < ' ' || c > '~' || c == '"' || c == '\\'; }, '\'');
  return text;
}

}  // namespace

Refusal refusal(const Error& error) { return {name_of(error.code), error}; }

Response refuse(const Refusal& refusal) {
  const Error& cause = refusal.cause;
  Response response = problem(cause);  // for what its status brings along
  if (!is_servers_fault(cause.code)) response.status = 400;
  response.content_type = "application/json";
  response.body = json::to_jcs(
      json::Node::object({{"error", refusal.name}, {"error_description", description(cause.what)}}));
  return response;
}

}  // namespace chancery::rest
