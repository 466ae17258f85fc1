#include "daemon/runtime/outbound/outbound_request.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <curl/curl.h>

namespace chancery::runtime {
namespace {

constexpr std::size_t kMostHeaderOctets = 32u << 10;

constexpr std::array<std::string_view, 7> kMethods{"GET", "HEAD",  "OPTIONS", "POST",
                                                   "PUT", "PATCH", "DELETE"};

// By these one could speak to another host, make two messages of one, or have an answer in an encoding that is not looked into.
constexpr std::array<std::string_view, 15> kOurs{"host",
                                                 "content-length",
                                                 "transfer-encoding",
                                                 "connection",
                                                 "keep-alive",
                                                 "te",
                                                 "trailer",
                                                 "upgrade",
                                                 "proxy-authenticate",
                                                 "proxy-authorization",
                                                 "accept-encoding",
                                                 "expect",

                                                 "http2-settings",
                                                 "proxy-connection",
                                                 "alt-used"};

bool is_token_character(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  const bool is_alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return is_alphanumeric || kOthers.find(c) != std::string_view::npos;
}

// Tabs and octets above 0x7f may stand in a value (RFC 9110 section 5.5).
bool is_value_octet(std::uint8_t octet) { return octet == '\t' || (octet >= 0x20 && octet != 0x7f); }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

Status check_header(std::string_view name, ByteView value) {
  if (name.empty() || !std::ranges::all_of(name, is_token_character))
    return Error{ErrorCode::kInvalidArgument,
                 "a header's name is no token (RFC 9110): letters, digits and -"};
  if (std::ranges::find(kOurs, lower(name)) != kOurs.end())
    return Error{ErrorCode::kInvalidArgument, "a header is one that HTTP or the runtime sets: leave it out"};
  if (!std::ranges::all_of(value, is_value_octet))
    return Error{ErrorCode::kInvalidArgument,
                 "a header's value has CR, LF, NUL or a control character in it"};
  return {};
}

bool has_header(const OutboundRequest& request, const std::string& name) {
  return std::ranges::any_of(request.headers, [wanted = lower(name)](const OutboundHeader& header) {
    return lower(header.name) == wanted;
  });
}

}  // namespace

bool is_alike(std::string_view text, std::string_view lower_case) noexcept {
  return std::ranges::equal(text, lower_case, [](char c, char wanted) {
    return (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) == wanted;
  });
}

std::string_view header_of(const std::vector<OutboundHeader>& headers, std::string_view lower_case) noexcept {
  for (const OutboundHeader& header : headers) {
    if (is_alike(header.name, lower_case)) return header.value;
  }
  return {};
}

Status check_request(const OutboundRequest& request) {
  if (std::ranges::find(kMethods, request.method) == kMethods.end()) {
    return Error{ErrorCode::kInvalidArgument,
                 "the method is none of GET, HEAD, OPTIONS, POST, PUT, PATCH and DELETE"};
  }
  if (!request.body.empty() && is_safe_method(request.method))
    return Error{ErrorCode::kInvalidArgument, "a GET, HEAD or OPTIONS has no body"};
  std::size_t octets = 0;
  for (const OutboundHeader& header : request.headers) {
    CHANCERY_TRY(check_header(header.name, as_bytes(header.value)));
    octets += header.name.size() + header.value.size();
  }
  for (const CredentialHeader& header : request.credentials) {
    CHANCERY_TRY(check_header(header.name, header.value.view()));
    if (has_header(request, header.name))
      return Error{ErrorCode::kInvalidArgument, "a header of the request has the name of the credential's"};
    octets += header.name.size() + header.value.size();
  }
  if (octets > kMostHeaderOctets)
    return Error{ErrorCode::kTooLarge, "the request's headers are larger than 32 KiB"};
  return {};
}

bool is_safe_method(const std::string& method) noexcept {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

bool was_never_sent(const Error& refusal) noexcept {
  switch (refusal.code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kForbidden:
    case ErrorCode::kTlsFailed:
      return true;
    case ErrorCode::kConnectFailed:
      return refusal.native != CURLE_GOT_NOTHING;
    default:
      return false;
  }
}

}  // namespace chancery::runtime
