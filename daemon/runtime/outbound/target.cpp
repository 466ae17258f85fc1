#include "daemon/runtime/outbound/target.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

#include <curl/curl.h>

#include "sdk/base/percent.hpp"

namespace chancery::runtime {
namespace {

using Url = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

constexpr std::size_t kLongestUrl = 8192;
constexpr std::size_t kLongestHost = 253;
constexpr unsigned kUrlFlags = CURLU_PATH_AS_IS | CURLU_DISALLOW_USER;

Error refused(const char* what) { return {ErrorCode::kInvalidArgument, what}; }

bool is_url_character(char c) {
  constexpr std::string_view kOthers = ":/?[]@!$&'()*+,;=%";
  return is_unreserved(c) || kOthers.find(c) != std::string_view::npos;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

Status check_characters(std::string_view url) {
  if (url.size() > kLongestUrl) return refused("the URL is longer than 8192 octets");
  for (std::size_t i = 0; i < url.size(); ++i) {
    if (url[i] == '\r' || url[i] == '\n' || url[i] == '\0') return refused("the URL has CR, LF or NUL in it");
    if (url[i] == '#') return refused("the URL has a fragment, which is never sent: leave it out");
    if (!is_url_character(url[i])) return refused("the URL has a character that must be escaped (RFC 3986)");
    if (url[i] != '%') continue;
    const auto escaped = decode_escape(url.substr(i));
    if (!escaped) return refused("the URL has a % that begins no escape");
    if (*escaped == '\r' || *escaped == '\n' || *escaped == '\0')
      return refused("the URL has CR, LF or NUL in it, escaped");
  }
  return {};
}

bool is_dot_segment(std::string_view segment) {
  std::string plain;
  for (std::size_t i = 0; i < segment.size(); ++i) {
    const auto escaped = decode_escape(segment.substr(i));
    plain += escaped.value_or(segment[i]);
    if (escaped) i += 2;
  }
  return plain == "." || plain == "..";
}

Status check_path(std::string_view path) {
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (is_dot_segment(path.substr(0, end)))
      return refused("the URL's path has a dot segment: write the path that is meant");
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return {};
}

// A name whose last label begins with a digit is an address to some resolvers: 0x7f.1, 2130706433, 127.1.
bool is_host_name(std::string_view host) {
  const bool has_edges = host.starts_with('.') || host.ends_with('.') || host.find("..") != host.npos;
  if (host.empty() || host.size() > kLongestHost || has_edges) return false;
  const std::size_t last_dot = host.rfind('.');
  if (is_digit(host[last_dot == host.npos ? 0 : last_dot + 1])) return false;
  return std::ranges::all_of(
      host, [](char c) { return is_lower(c) || is_digit(c) || c == '-' || c == '.' || c == '_'; });
}

Status set_host(Target& target, std::string_view host) {
  const bool is_bracketed = host.starts_with('[') && host.ends_with(']');
  if (is_bracketed) host = host.substr(1, host.size() - 2);
  const auto literal = Address::parse(host);
  if (literal && literal->is_v6() == is_bracketed && literal->text() == host) {
    target.literal = *literal;
  } else if (is_bracketed || !is_host_name(host)) {
    return refused(
        "the URL's host is no name in lower case, and no address in its usual form (127.0.0.1, [2001:db8::1])");
  }
  target.host = host;
  return {};
}

Status set_port(Target& target, std::string_view text) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), target.port);
  if (failure != std::errc() || end != text.data() + text.size() || target.port == 0 || text.front() == '0')
    return refused("the URL's port is no number from 1 to 65535");
  return {};
}

Status set_authority(Target& target, std::string_view authority) {
  if (authority.find('@') != authority.npos)
    return refused("the URL has a user in it: credentials go elsewhere");
  const std::size_t host_end = authority.find(']');
  const std::size_t colon = authority.find(':', host_end == authority.npos ? 0 : host_end);
  CHANCERY_TRY(set_host(target, authority.substr(0, colon)));
  target.port = target.is_https ? 443 : 80;
  return colon == authority.npos ? Status{} : set_port(target, authority.substr(colon + 1));
}

std::string part_of(CURLU* url, CURLUPart part, unsigned flags) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  const std::unique_ptr<char, decltype(&curl_free)> owned(text, curl_free);
  return text;
}

// Whoever connects reads the URL once more, and must not find another host in it.
bool is_read_alike(const Target& target) {
  const Url url(curl_url(), curl_url_cleanup);
  if (url == nullptr || curl_url_set(url.get(), CURLUPART_URL, target.url.c_str(), kUrlFlags) != CURLUE_OK)
    return false;
  const bool is_v6 = target.literal && target.literal->is_v6();
  return part_of(url.get(), CURLUPART_SCHEME, 0) == (target.is_https ? "https" : "http") &&
         part_of(url.get(), CURLUPART_HOST, 0) == (is_v6 ? '[' + target.host + ']' : target.host) &&
         part_of(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT) == std::to_string(target.port);
}

}  // namespace

std::string Target::origin() const {
  const bool is_v6 = literal && literal->is_v6();
  return (is_https ? "https://" : "http://") + (is_v6 ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

Result<Target> parse_target(std::string_view url, bool http_allowed) {
  CHANCERY_TRY(check_characters(url));
  Target target{std::string(url), {}};
  target.is_https = url.starts_with("https://");
  if (!target.is_https && !url.starts_with("http://"))
    return refused("the URL begins with neither https:// nor http://");
  if (!target.is_https && !http_allowed)
    return refused("the URL is of http, which the tool does not declare: use https");
  url.remove_prefix(url.find("//") + 2);
  const std::size_t authority_end = std::min(url.find_first_of("/?"), url.size());
  CHANCERY_TRY(set_authority(target, url.substr(0, authority_end)));
  url.remove_prefix(authority_end);
  CHANCERY_TRY(check_path(url.substr(0, url.find('?'))));
  if (!is_read_alike(target)) return refused("the URL can be read in more than one way");
  return target;
}

Result<Target> parse_location(const Target& from, const std::string& location) {
  constexpr Error kBad{ErrorCode::kBadResponse,
                       "the upstream redirects to what is no URL of http or https in plain form"};
  const Url url(curl_url(), curl_url_cleanup);
  if (url == nullptr || curl_url_set(url.get(), CURLUPART_URL, from.url.c_str(), kUrlFlags) != CURLUE_OK)
    return kBad;
  if (curl_url_set(url.get(), CURLUPART_URL, location.c_str(), CURLU_DISALLOW_USER) != CURLUE_OK) return kBad;
  curl_url_set(url.get(), CURLUPART_FRAGMENT, nullptr, 0);  // for a browser, never sent
  auto target = parse_target(part_of(url.get(), CURLUPART_URL, 0), true);
  return target ? std::move(target) : Result<Target>(kBad);
}

}  // namespace chancery::runtime
