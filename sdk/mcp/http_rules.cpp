#include "sdk/mcp/http_rules.hpp"

#include <algorithm>
#include <array>

#include "sdk/base/base64.hpp"
#include "sdk/mcp/version.hpp"

namespace chancery::mcp {
namespace {

using json::Value;
using std::string_view;

constexpr const char* kTwice = "a header stands here twice: send it once";
constexpr const char* kNoHost = "this request has no Host";
constexpr const char* kBadHost =
    "this Host is not this endpoint: use localhost, 127.0.0.1 or [::1] with its port";
constexpr const char* kBadOrigin = "pages of this Origin may not use this endpoint";
constexpr const char* kBadType = "a message comes as Content-Type: application/json";
constexpr const char* kBadAccept = "Accept must take both application/json and text/event-stream";
constexpr const char* kVersionDiffers =
    "MCP-Protocol-Version is missing, or not the version in the message's _meta";
constexpr const char* kMethodDiffers = "Mcp-Method is missing, or not the message's method";
constexpr const char* kNameDiffers =
    "Mcp-Name is missing or badly encoded, or not the name in the message's params";
constexpr const char* kNoMeta = "_meta lacks io.modelcontextprotocol/protocolVersion";
constexpr const char* kUnasked = "nothing was asked here that this would answer";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_ignoring_case(string_view a, string_view b) { return std::ranges::equal(a, b, {}, lower, lower); }

string_view trimmed(string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes the part before the first separator off the front.
string_view cut(string_view& text, char separator) {
  const auto at = text.find(separator);
  const string_view part = trimmed(text.substr(0, at));
  text.remove_prefix(at == string_view::npos ? text.size() : at + 1);
  return part;
}

bool is_own_authority(string_view authority, std::uint16_t port) {
  constexpr std::array<string_view, 3> kNames{"localhost", "127.0.0.1", "[::1]"};
  return std::ranges::any_of(kNames, [&](string_view name) {
    const std::string with_port = std::string(name) + ":" + std::to_string(port);
    return equal_ignoring_case(authority, with_port) || (port == 80 && equal_ignoring_case(authority, name));
  });
}

bool is_zero_weight(string_view parameter) {
  const string_view name = cut(parameter, '=');
  return equal_ignoring_case(name, "q") && !parameter.empty() &&
         parameter.find_first_not_of("0.") == string_view::npos;
}

// Whether one of the ranges takes the type (RFC 9110 section 12.5.1), without weighing them.
bool accepts(string_view ranges, string_view type) {
  const string_view whole_kind = type.substr(0, type.find('/') + 1);
  while (!ranges.empty()) {
    string_view range = cut(ranges, ',');
    const string_view name = cut(range, ';');
    const bool matches =
        equal_ignoring_case(name, type) || name == "*/*" ||
        (name.ends_with("/*") && equal_ignoring_case(name.substr(0, name.size() - 1), whole_kind));
    bool refused = false;
    while (!range.empty()) refused = is_zero_weight(cut(range, ';')) || refused;
    if (matches && !refused) return true;
  }
  return false;
}

Result<void, HttpAnswer> check_types(const HttpRequest& request) {
  CHANCERY_ASSIGN(const auto type, single_header(request, "content-type"));
  string_view parameters = type.value_or("");
  if (!equal_ignoring_case(cut(parameters, ';'), "application/json")) {
    return http_refusal(415, Code::kInvalidRequest, kBadType);
  }
  std::string ranges;  // a list may come in several lines
  for (const auto& [name, value] : request.headers) {
    if (equal_ignoring_case(name, "accept")) ranges.append(ranges.empty() ? "" : ",").append(value);
  }
  if (!accepts(ranges, "application/json") || !accepts(ranges, "text/event-stream")) {
    return http_refusal(406, Code::kInvalidRequest, kBadAccept);
  }
  return {};
}

std::optional<string_view> text_of(const Value* value) {
  return value == nullptr ? std::nullopt : value->string();
}

// What `Mcp-Name` must say (Streamable HTTP, "Standard Request Headers").
std::optional<string_view> name_in(const Message& message) {
  const string_view method = message.method();
  if (method == "tools/call" || method == "prompts/get") return text_of(message.param("name"));
  if (method == "resources/read") return text_of(message.param("uri"));
  return std::nullopt;
}

Result<void, HttpAnswer> check_mirrored(const HttpRequest& request, const Message& message) {
  CHANCERY_ASSIGN(const auto method, single_header(request, "mcp-method"));
  if (method != message.method())
    return http_refusal(400, Code::kHeaderMismatch, kMethodDiffers, message.id());
  const auto body_name = name_in(message);
  CHANCERY_ASSIGN(const auto header, single_header(request, "mcp-name"));
  if (!body_name) return {};
  const auto name = header ? decode_header_value(*header) : std::nullopt;
  if (!name || *name != *body_name)
    return http_refusal(400, Code::kHeaderMismatch, kNameDiffers, message.id());
  return {};
}

HttpAnswer unsupported(string_view requested, const std::optional<Id>& id) {
  return {400, {{"Content-Type", "application/json"}}, unsupported_version_text(id, requested)};
}

// Whether the message is one of 2026-07-28, and says so everywhere it must.
Result<bool, HttpAnswer> check_version(const HttpRequest& request, const Message& message) {
  CHANCERY_ASSIGN(const auto header, single_header(request, "mcp-protocol-version"));
  const Value* meta = message.param("_meta");
  const Value* version = meta == nullptr ? nullptr : meta->find(kMetaVersion);
  if (message.kind() == Message::Kind::kRequest && version != nullptr) {
    if (!header || version->string() != header) {
      return http_refusal(400, Code::kHeaderMismatch, kVersionDiffers, message.id());
    }
    if (*header != kStatelessVersion) return unsupported(*header, message.id());
    CHANCERY_TRY(check_mirrored(request, message));
    return true;
  }
  if (!header || *header == kSessionVersion) return false;
  if (*header != kStatelessVersion) return unsupported(*header, message.id());
  // What has no answer has no `_meta` to compare with either.
  if (message.kind() == Message::Kind::kNotification) return true;
  return http_refusal(400, Code::kInvalidParams, kNoMeta, message.id());
}

}  // namespace

HttpAnswer http_refusal(unsigned status, Code code, const char* what, const std::optional<Id>& id) {
  return {status, {{"Content-Type", "application/json"}}, error_text(id, code, what)};
}

Result<std::optional<string_view>, HttpAnswer> single_header(const HttpRequest& request, string_view name) {
  std::optional<string_view> found;
  for (const auto& [key, value] : request.headers) {
    if (!equal_ignoring_case(key, name)) continue;
    if (found) return http_refusal(400, Code::kInvalidRequest, kTwice);
    found = trimmed(value);
  }
  return found;
}

Result<void, HttpAnswer> check_source(const HttpRequest& request, const HttpRules& rules) {
  CHANCERY_ASSIGN(const auto host, single_header(request, "host"));
  if (!host) return http_refusal(400, Code::kInvalidRequest, kNoHost);
  if (!is_own_authority(*host, rules.port)) return http_refusal(403, Code::kInvalidRequest, kBadHost);
  CHANCERY_ASSIGN(const auto origin, single_header(request, "origin"));
  if (!origin || std::ranges::find(rules.origins, *origin) != rules.origins.end()) return {};
  constexpr string_view kScheme = "http://";
  const bool is_own =
      origin->starts_with(kScheme) && is_own_authority(origin->substr(kScheme.size()), rules.port);
  if (!is_own) return http_refusal(403, Code::kInvalidRequest, kBadOrigin);
  return {};
}

Result<Post, HttpAnswer> read_post(const HttpRequest& request, const MessageLimits& limits) {
  CHANCERY_TRY(check_types(request));
  auto message = Message::read(std::string(request.body), limits);
  if (!message) {
    const Fault& fault = message.error();
    return http_refusal(400, fault.code, fault.what, fault.id);
  }
  if (message->kind() == Message::Kind::kResponse) return http_refusal(400, Code::kInvalidRequest, kUnasked);
  CHANCERY_ASSIGN(const bool stateless, check_version(request, *message));
  return Post{*std::move(message), stateless};
}

std::optional<std::string> decode_header_value(string_view value) {
  constexpr string_view kBegin = "=?base64?", kEnd = "?=";
  const bool plain = std::ranges::all_of(value, [](char c) { return (c >= 0x20 && c <= 0x7E) || c == '\t'; });
  if (!plain) return std::nullopt;
  if (value.size() < kBegin.size() + kEnd.size() || !value.starts_with(kBegin) || !value.ends_with(kEnd)) {
    return std::string(value);
  }
  const auto octets = base64_decode(value.substr(kBegin.size(), value.size() - kBegin.size() - kEnd.size()));
  if (!octets) return std::nullopt;
  return std::string(as_text(*octets));
}

}  // namespace chancery::mcp
