#include "daemon/runtime/tools/url.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "sdk/base/percent.hpp"
#include "sdk/base/utf8.hpp"

namespace chancery::tools {
namespace {

constexpr Error refusal(const char* what) { return {ErrorCode::kInvalidArgument, what}; }

constexpr Error kNotAscii =
    refusal("a URL holds other characters than ASCII: escape them, and write a host's name as xn--");
constexpr Error kForbidden =
    refusal("a URL holds a space, a control character, a backslash or another character that none has");
constexpr Error kEscape =
    refusal("a malformed escape: write % and two hexadecimal digits, and %25 for the character itself");
constexpr Error kHost =
    refusal("no host name: use letters, digits, hyphens and dots, and the xn-- form of others");
constexpr Error kAddress =
    refusal("no IP address in its usual form: write four decimal numbers, or an IPv6 address in brackets");

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// "ends in a number" (WHATWG URL, 3.5): whoever parses such a host takes all of it for an IPv4 address.
bool looks_like_ipv4(std::string_view host) {
  const std::string_view last = split(host, '.').back();
  const bool hexadecimal = last.starts_with("0x") && std::ranges::all_of(last.substr(2), is_hex);
  return hexadecimal || (!last.empty() && std::ranges::all_of(last, is_digit));
}

Result<std::string> canonical_ipv4(const std::string& host) {
  std::array<char, INET_ADDRSTRLEN> text{};
  in_addr address{};
  if (::inet_pton(AF_INET, host.c_str(), &address) != 1) return kAddress;
  ::inet_ntop(AF_INET, &address, text.data(), text.size());
  if (host != text.data()) return kAddress;  // a leading zero
  return host;
}

Result<std::string> canonical_ipv6(std::string_view host) {
  const std::string inside(host.substr(1, host.size() - 2));
  std::array<char, INET6_ADDRSTRLEN> text{};
  in6_addr address{};
  if (!host.ends_with(']') || ::inet_pton(AF_INET6, inside.c_str(), &address) != 1) return kAddress;
  ::inet_ntop(AF_INET6, &address, text.data(), text.size());
  return "[" + std::string(text.data()) + "]";
}

bool is_label(std::string_view label) {
  constexpr std::size_t kLongest = 63;
  return !label.empty() && label.size() <= kLongest && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_alnum(c) || c == '-'; });
}

// What RFC 3986 has in paths and queries beside escapes.
bool is_url_character(char c, bool in_query) {
  return is_unreserved(c) || std::string_view("!$&'()*+,;=:@/").find(c) != std::string_view::npos ||
         (in_query && c == '?');
}

// Escapes of unreserved characters are decoded, all others written in upper case.
Result<std::string> canonical_escapes(std::string_view text, bool in_query) {
  std::string out;
  while (!text.empty()) {
    const char c = text.front();
    if (c != '%') {
      if (!is_url_character(c, in_query)) return kForbidden;
      out += c;
      text.remove_prefix(1);
      continue;
    }
    const auto octet = decode_escape(text);
    if (!octet) return kEscape;
    if (static_cast<unsigned char>(*octet) < ' ' || *octet == 127) {
      return refusal("a URL holds an escaped control character: take it out");
    }
    out += is_unreserved(*octet) ? std::string(1, *octet) : percent_escape(*octet);
    text.remove_prefix(3);
  }
  return out;
}

// RFC 3986 section 5.2.4, for a path that begins with "/". Empty segments stay: to some servers they are some.
std::string remove_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  const std::vector<std::string_view> parts = split(path.substr(1), '/');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool dots = parts[i] == "." || parts[i] == "..";
    if (parts[i] == ".." && !kept.empty()) kept.pop_back();
    if (!dots) kept.push_back(parts[i]);
    if (dots && i + 1 == parts.size()) kept.emplace_back();
  }
  std::string out;
  for (const std::string_view segment : kept) out += "/" + std::string(segment);
  return out.empty() ? "/" : out;
}

Status take_authority(std::string_view authority, Url& url) {
  if (authority.find('@') != std::string_view::npos) {
    return refusal("a URL holds user information, which hides the host: take it out");
  }
  const std::size_t bracket = authority.find(']');
  const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  CHANCERY_ASSIGN(url.host, canonical_host(authority.substr(0, colon)));
  url.port = url.default_port();
  if (colon == std::string_view::npos) return {};
  const std::string_view digits = authority.substr(colon + 1);
  const char* const end = digits.data() + digits.size();
  const auto [stop, failure] = std::from_chars(digits.data(), end, url.port);
  if (failure != std::errc{} || stop != end || url.port == 0 || digits.front() == '0') {
    return refusal("no port: write a number from 1 to 65535, or leave the colon away");
  }
  return {};
}

}  // namespace

std::string Url::origin() const {
  return scheme + "://" + host + (port == default_port() ? "" : ":" + std::to_string(port));
}

std::string Url::text() const { return origin() + path + (query ? "?" + *query : ""); }

Result<Url> parse_url(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return kNotAscii;
    if (static_cast<unsigned char>(c) <= ' ' || c == 127 || c == '\\') return kForbidden;
  }
  if (text.find('#') != std::string_view::npos) {
    return refusal("a URL holds a fragment, which no server sees: take it out");
  }
  const std::size_t colon = text.find("://");
  Url url;
  url.scheme = lower_case(text.substr(0, colon));
  if (colon == std::string_view::npos || (url.scheme != "http" && url.scheme != "https")) {
    return refusal("no URL of http or https: write https://, a host and a path");
  }
  text.remove_prefix(colon + 3);
  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  CHANCERY_TRY(take_authority(text.substr(0, end), url));
  text.remove_prefix(end);

  const std::size_t mark = text.find('?');
  const std::string_view path = text.substr(0, mark);
  CHANCERY_ASSIGN(const std::string escaped, canonical_escapes(path.empty() ? "/" : path, false));
  url.path = remove_dot_segments(escaped);
  if (mark != std::string_view::npos) {
    CHANCERY_ASSIGN(url.query, canonical_escapes(text.substr(mark + 1), true));
  }
  return url;
}

Result<std::string> canonical_host(std::string_view text) {
  constexpr std::size_t kLongest = 253;
  if (text.empty() || text.size() > kLongest) return kHost;
  if (text.front() == '[') return canonical_ipv6(text);
  const std::string host = lower_case(text);
  if (!std::ranges::all_of(split(host, '.'), is_label)) return kHost;
  return looks_like_ipv4(host) ? canonical_ipv4(host) : host;
}

bool has_control(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    if (octet < ' ' || octet == 127) return true;
    // C1 in UTF-8: C2 80 to C2 9F.
    if (octet == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) return true;
  }
  return false;
}

Result<std::string> canonical_path(std::string_view text) {
  std::string decoded;
  while (!text.empty()) {
    const auto octet = text.front() == '%' ? decode_escape(text) : std::optional(text.front());
    if (!octet) return kEscape;
    decoded += *octet;
    text.remove_prefix(text.front() == '%' ? 3 : 1);
  }
  for (std::string_view rest = decoded; !rest.empty();) {
    if (decode_escape(rest)) return refusal("a path is escaped twice: escape it once, or not at all");
    const std::size_t size = decode_utf8(rest).size;
    if (size == 0) return refusal("a path is not UTF-8 behind its escapes: name the file in UTF-8");
    rest.remove_prefix(size);
  }
  if (has_control(decoded)) return refusal("a path holds a control character: take it out");
  if (decoded.find('\\') != std::string::npos) return refusal("a path holds a backslash: separate with /");
  if (!decoded.starts_with('/')) return refusal("a path is not absolute: begin with /");
  std::vector<std::string_view> kept;
  for (const std::string_view segment : split(decoded, '/')) {
    if (segment == ".." && kept.empty()) return refusal("a path leads out of the root: take .. out");
    if (segment == "..") {
      kept.pop_back();
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
  }
  std::string out;
  for (const std::string_view segment : kept) out += "/" + std::string(segment);
  return out.empty() ? "/" : out;
}

std::size_t count_segments(std::string_view path) noexcept {
  return static_cast<std::size_t>(std::ranges::count(path, '/'));
}

std::size_t count_parameters(const std::optional<std::string>& query) noexcept {
  return query ? static_cast<std::size_t>(std::ranges::count(*query, '&')) + 1 : 0;
}

}  // namespace chancery::tools
