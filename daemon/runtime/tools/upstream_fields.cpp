#include "daemon/runtime/tools/upstream_fields.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "daemon/runtime/schema/uri.hpp"

namespace chancery::tools {
namespace {

using std::chrono::milliseconds;

constexpr std::array<std::string_view, 6> kMethods{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
constexpr std::array<std::string_view, 3> kBodyForms{"none", "json", "form"};
constexpr std::array<std::string_view, 2> kRedirects{"none", "same_origin"};

// Headers that say how a message is framed, to whom it goes and what carries it: nobody else sets them.
constexpr std::array<std::string_view, 14> kOwnHeaders{"accept",
                                                       "accept-encoding",
                                                       "connection",
                                                       "content-encoding",
                                                       "content-length",
                                                       "content-type",
                                                       "expect",
                                                       "host",
                                                       "keep-alive",
                                                       "te",
                                                       "trailer",
                                                       "upgrade",
                                                       "transfer-encoding",
                                                       "proxy-connection"};

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_own_header(std::string_view lower) {
  return std::ranges::find(kOwnHeaders, lower) != kOwnHeaders.end() || lower.starts_with("proxy-");
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Result<void, LoadError> read_sizes(Fields& fields, HttpLimits& limits) {
  constexpr std::uint64_t kLeast = 1024;
  constexpr std::uint64_t kMost = 64 * 1024 * 1024;
  constexpr milliseconds kShortest{100};
  constexpr milliseconds kLongest{10 * 60'000};
  CHANCERY_ASSIGN(const auto octets, fields.octets("max_response"));
  limits.max_response = octets.value_or(limits.max_response);
  if (limits.max_response < kLeast || limits.max_response > kMost) {
    return fields.wrong("max_response", "must be from 1KiB to 64MiB");
  }
  CHANCERY_ASSIGN(const auto timeout, fields.duration("timeout"));
  limits.timeout = timeout.value_or(limits.timeout);
  if (limits.timeout < kShortest || limits.timeout > kLongest)
    return fields.wrong("timeout", "must be from 100ms to 10m");
  return {};
}

Result<void, LoadError> read_limits(Fields& fields, HttpLimits& limits) {
  CHANCERY_TRY(read_sizes(fields, limits));
  CHANCERY_ASSIGN(auto ranges, fields.texts("allow_addresses"));
  limits.allow_addresses = std::move(ranges).value_or(std::vector<std::string>());
  if (!std::ranges::all_of(limits.allow_addresses, is_address_range)) {
    return fields.wrong("allow_addresses",
                        "must be a list of address ranges such as \"127.0.0.1/32\" or \"fd00::/8\"");
  }
  CHANCERY_ASSIGN(const auto redirects, fields.choice("redirects", kRedirects));
  limits.redirects = static_cast<Redirects>(redirects.value_or(0));
  return {};
}

Result<std::optional<CredentialPlace>, LoadError> read_place(Fields& fields, const Url& url,
                                                             const HttpLimits& limits) {
  CHANCERY_ASSIGN(const auto text, fields.text("credential_in"));
  if (!text) return std::optional<CredentialPlace>();
  auto place = parse_credential_place(*text);
  if (!place) {
    return fields.wrong(
        "credential_in",
        "must be \"header:NAME: VALUE\" with {} in the value, \"query:NAME\" or \"basic:USER\"");
  }
  if (place->kind == CredentialPlace::Kind::kHeader && is_own_header(place->name)) {
    return fields.wrong("credential_in", "names a header that the runtime sets itself");
  }
  if (url.scheme == "http" && limits.allow_addresses.empty()) {
    return fields.wrong("credential_in",
                        "would cross the network in the clear: use https, or name the addresses that are "
                        "meant in allow_addresses");
  }
  return place;
}

// Name and value of each parameter that the declared URL has itself.
bool has_parameter(const Url& url, std::string_view name) {
  std::string_view rest = url.query ? std::string_view(*url.query) : std::string_view();
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    if (schema::percent_decode(one.substr(0, one.find('='))) == name) return true;
  }
  return false;
}

Result<void, LoadError> check_names(Fields& fields, HttpUpstream& http) {
  const bool in_query = http.credential_in && http.credential_in->kind == CredentialPlace::Kind::kQuery;
  for (const auto& [name, pointer] : http.query) {
    const bool taken = in_query && http.credential_in->name == name;
    if (taken || has_parameter(http.url.base(), name)) {
      return fields.wrong("query",
                          "names a parameter that the URL or the credential has already: \"" + name + "\"");
    }
  }
  const bool in_header = http.credential_in && http.credential_in->kind != CredentialPlace::Kind::kQuery;
  const std::string own = in_header && http.credential_in->kind == CredentialPlace::Kind::kHeader
                              ? http.credential_in->name
                              : std::string("authorization");
  for (auto& [name, pointer] : http.headers) {
    name = lower_case(name);
    const bool secret = name == "authorization" || name == "cookie" || name == own;
    if (!is_token(name) || is_own_header(name) || secret) {
      return fields.wrong("headers", "names a header that arguments may not set: \"" + name + "\"");
    }
  }
  std::ranges::sort(http.headers, {}, &NamedPointer::first);
  if (std::ranges::adjacent_find(http.headers, {}, &NamedPointer::first) != http.headers.end()) {
    return fields.wrong("headers", "names a header twice: upper and lower case are the same there");
  }
  return {};
}

Result<void, LoadError> read_body(Fields& fields, HttpUpstream& http) {
  CHANCERY_ASSIGN(const auto form, fields.choice("body", kBodyForms));
  http.body = static_cast<BodyForm>(form.value_or(0));
  CHANCERY_ASSIGN(http.body_members, fields.named_pointers("body_members"));
  CHANCERY_ASSIGN(http.body_value, fields.pointer("body_value"));
  if (http.body != BodyForm::kNone && (http.method == "GET" || http.method == "HEAD")) {
    return fields.wrong("body", "has no meaning with " + http.method + ": use query");
  }
  if (!http.body_members.empty() && (http.body == BodyForm::kNone || http.body_value)) {
    return fields.wrong("body_members", "are for body = \"json\" or \"form\", without body_value");
  }
  if (http.body_value && http.body != BodyForm::kJson)
    return fields.wrong("body_value", "is for body = \"json\"");
  return {};
}

}  // namespace

std::optional<CredentialPlace> parse_credential_place(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view kind = text.substr(0, colon);
  std::string_view rest = text.substr(colon + 1);
  if (rest.empty() || has_control(rest)) return std::nullopt;
  CredentialPlace place;
  if (kind == "query") {
    place.kind = CredentialPlace::Kind::kQuery;
    place.name = std::string(rest);
    return place;
  }
  if (kind == "basic") {
    place.kind = CredentialPlace::Kind::kBasic;
    place.name = std::string(rest);
    // RFC 7617: a colon ends the user's name.
    return rest.find(':') == std::string_view::npos ? std::optional(place) : std::nullopt;
  }
  const std::size_t end = rest.find(':');
  if (kind != "header" || end == std::string_view::npos || !is_token(rest.substr(0, end)))
    return std::nullopt;
  place.name = lower_case(rest.substr(0, end));
  rest.remove_prefix(end + 1);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  const std::size_t hole = rest.find("{}");
  if (hole == std::string_view::npos) return std::nullopt;
  place.before = std::string(rest.substr(0, hole));
  place.after = std::string(rest.substr(hole + 2));
  return place.after.find("{}") == std::string::npos ? std::optional(place) : std::nullopt;
}

bool is_address_range(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string address(text.substr(0, slash));
  const std::string_view digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (failure != std::errc{} || end != digits.data() + digits.size()) return false;
  in_addr four{};
  in6_addr six{};
  if (::inet_pton(AF_INET, address.c_str(), &four) == 1) return bits <= 32;
  return ::inet_pton(AF_INET6, address.c_str(), &six) == 1 && bits <= 128;
}

Result<HttpUpstream, LoadError> read_http(Fields fields) {
  HttpUpstream http;
  CHANCERY_ASSIGN(const auto method, fields.choice("method", kMethods));
  if (!method) return fields.wrong("method", "is missing: say GET, HEAD, POST, PUT, PATCH or DELETE");
  http.method = std::string(kMethods[*method]);
  CHANCERY_ASSIGN(const std::string url, fields.required_text("url"));
  auto made = UrlTemplate::parse(url);
  if (!made) return fields.wrong("url", std::string("cannot be used: ") + made.error().what);
  http.url = *std::move(made);
  CHANCERY_ASSIGN(http.query, fields.named_pointers("query"));
  CHANCERY_ASSIGN(http.headers, fields.named_pointers("headers"));
  CHANCERY_TRY(read_body(fields, http));
  CHANCERY_TRY(read_limits(fields, http.limits));
  CHANCERY_ASSIGN(http.credential_in, read_place(fields, http.url.base(), http.limits));
  CHANCERY_TRY(check_names(fields, http));
  CHANCERY_TRY(fields.finish());
  return http;
}

namespace {

// What both kinds of MCP servers say of the tool that is meant.
Result<std::optional<std::string>, LoadError> read_pin(Fields& fields) {
  CHANCERY_ASSIGN(auto pin, fields.text("description_sha256"));
  if (pin && !is_sha256(*pin))
    return fields.wrong("description_sha256", "must be 64 hexadecimal digits in lower case");
  return pin;
}

}  // namespace

namespace {

// PATH, LANG and what the loader looks at are not the tool's own.
bool is_variable(std::string_view name) {
  const auto is_fit = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; };
  const bool is_own = name == "PATH" || name == "LANG" || name.starts_with("LD_");
  return !name.empty() && name.size() <= 64 && !(name[0] >= '0' && name[0] <= '9') && !is_own &&
         std::ranges::all_of(name, is_fit);
}

Result<std::optional<std::string>, LoadError> read_variable(Fields& fields) {
  CHANCERY_ASSIGN(const auto text, fields.text("credential_in"));
  if (!text) return std::optional<std::string>();
  auto variable = parse_credential_variable(*text);
  if (variable) return variable;
  return fields.wrong(
      "credential_in",
      "must be \"env:NAME\", the variable of the server's environment that gets the credential: "
      "capitals, digits and _, not PATH, LANG or LD_…");
}

}  // namespace

std::optional<std::string> parse_credential_variable(std::string_view text) {
  constexpr std::string_view kKind = "env:";
  if (text.substr(0, kKind.size()) != kKind || !is_variable(text.substr(kKind.size()))) return std::nullopt;
  return std::string(text.substr(kKind.size()));
}

Result<McpStdioUpstream, LoadError> read_mcp_stdio(Fields fields) {
  McpStdioUpstream server;
  CHANCERY_ASSIGN(auto command, fields.texts("command"));
  if (!command || command->empty())
    return fields.wrong("command", "is missing: name a program and its arguments");
  const auto program = canonical_path(command->front());
  if (!program || *program != command->front()) {
    return fields.wrong("command", "must begin with the absolute path of a program, without . and ..");
  }
  server.command = *std::move(command);
  CHANCERY_ASSIGN(server.tool, fields.required_text("tool"));
  CHANCERY_ASSIGN(server.description_sha256, read_pin(fields));
  CHANCERY_ASSIGN(const auto network, fields.flag("network"));
  server.network = network.value_or(false);
  CHANCERY_ASSIGN(server.credential_in, read_variable(fields));
  CHANCERY_TRY(read_sizes(fields, server.limits));
  CHANCERY_TRY(fields.finish());
  return server;
}

Result<McpHttpUpstream, LoadError> read_mcp_http(Fields fields) {
  McpHttpUpstream server;
  CHANCERY_ASSIGN(const std::string text, fields.required_text("url"));
  auto url = parse_url(text);
  if (!url) return fields.wrong("url", std::string("cannot be used: ") + url.error().what);
  server.url = *std::move(url);
  CHANCERY_ASSIGN(server.tool, fields.required_text("tool"));
  CHANCERY_ASSIGN(server.description_sha256, read_pin(fields));
  CHANCERY_TRY(read_limits(fields, server.limits));
  CHANCERY_ASSIGN(server.credential_in, read_place(fields, server.url, server.limits));
  CHANCERY_TRY(fields.finish());
  return server;
}

}  // namespace chancery::tools
