#include "daemon/runtime/upstreams/http_upstream.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "daemon/runtime/upstreams/answer_limits.hpp"
#include "daemon/runtime/upstreams/credential_place.hpp"
#include "sdk/json/reader.hpp"

namespace chancery::runtime {
namespace {

using Kind = UpstreamOutcome::Kind;

UpstreamOutcome failed(const Error& error) {
  UpstreamOutcome out;
  out.kind = was_never_sent(error) ? Kind::kNeverSent : Kind::kMaybeSent;
  out.error = error;
  return out;
}

}  // namespace

OutboundLimits outbound_limits(const tools::HttpLimits& declared) {
  OutboundLimits limits;
  limits.max_response = declared.max_response;
  limits.timeout = declared.timeout;
  limits.slow_time = std::chrono::ceil<std::chrono::seconds>(declared.timeout);  // it may think as long
  limits.connect_timeout = std::min(limits.connect_timeout, declared.timeout);
  return limits;
}

Result<std::vector<AddressRange>> allowed_ranges(const tools::HttpLimits& declared) {
  std::vector<AddressRange> ranges;
  for (const std::string& range : declared.allow_addresses) {
    CHANCERY_ASSIGN(AddressRange allowed, AddressRange::parse(range));
    ranges.push_back(allowed);
  }
  return ranges;
}

Result<OutboundRequest> HttpUpstream::request_of(const tools::HttpRequest& composed,
                                                 const SecretBytes* credential) const {
  OutboundRequest request;
  request.method = composed.method;
  request.url = composed.url.text();
  for (const auto& [name, value] : composed.headers) request.headers.push_back({name, value});
  request.body = composed.body;
  CHANCERY_ASSIGN(request.allowed, allowed_ranges(declared_.limits));
  request.http_allowed = composed.url.scheme == "http";
  request.redirects =
      declared_.limits.redirects == tools::Redirects::kNone ? Redirects::kNone : Redirects::kSameOrigin;
  request.limits = outbound_limits(declared_.limits);
  request.ca_file = ca_file_;
  if (credential != nullptr && declared_.credential_in)
    CHANCERY_TRY(place_credential(*declared_.credential_in, *credential, request));
  return request;
}

UpstreamOutcome HttpUpstream::call(const tools::PreparedCall& prepared, const SecretBytes* credential,
                                   const std::stop_token& stop) {
  const auto request = request_of(std::get<tools::HttpRequest>(prepared.request), credential);
  if (!request) return failed(request.error());
  auto response = outbound_.call(*request, stop);
  if (!response) return failed(response.error());
  UpstreamOutcome out;
  out.status = response->status;
  out.is_error = response->status < 200 || response->status >= 300;
  out.raw = std::move(response->body);
  const bool is_json = json::Document::parse_borrowed(out.raw, kAnswerLimits).has_value();
  out.kind = is_json || out.is_error || out.raw.empty() ? Kind::kAnswered : Kind::kUnreadable;
  if (is_json) out.document = out.raw;
  return out;
}

}  // namespace chancery::runtime
