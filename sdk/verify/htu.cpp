#include "sdk/verify/htu.hpp"

#include <algorithm>
#include <vector>

#include "sdk/base/percent.hpp"

namespace chancery {
namespace {

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), to_lower);
  return out;
}

// Decodes unreserved characters, writes other escapes in upper case; nullopt for a broken escape or for a
// character that no URI has.
std::optional<std::string> normalize_escapes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] <= ' ' || text[i] >= 0x7F) return std::nullopt;
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const auto decoded = decode_escape(text.substr(i));
    if (!decoded) return std::nullopt;
    out += percent_encode({&*decoded, 1});
    i += 2;
  }
  return out;
}

// RFC 3986 section 5.2.4 for an absolute path; empty segments stay.
std::string remove_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  bool ends_in_directory = false;
  std::size_t begin = 1;
  while (begin <= path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = path.substr(begin, end - begin);
    ends_in_directory = segment == "." || segment == "..";
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (segment != ".") {
      kept.push_back(segment);
    }
    begin = end + 1;
  }
  std::string out;
  for (const std::string_view segment : kept) out.append("/").append(segment);
  if (ends_in_directory || out.empty()) out += '/';
  return out;
}

// `host` or `host:port` with the host in lower case, and without the port that the scheme implies. Names of
// users, which RFC 9110 section 4.2.4 bans, and anything else are refused.
std::optional<std::string> normalize_authority(std::string_view text, std::string_view default_port) {
  const auto authority = normalize_escapes(text);
  if (!authority || authority->find('@') != std::string::npos) return std::nullopt;
  // The colons of an IPv6 address stand in brackets.
  const bool bracketed = authority->starts_with('[');
  const std::size_t bracket = bracketed ? authority->find(']') : 0;
  if (bracket == std::string::npos) return std::nullopt;
  const std::size_t colon = std::min(authority->find(':', bracket), authority->size());
  const std::string host = lower(std::string_view(*authority).substr(0, colon));
  const std::string port = authority->substr(std::min(colon + 1, authority->size()));
  const bool digits = std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
  if (host.empty() || !digits || (bracketed && colon != bracket + 1)) return std::nullopt;
  return port.empty() || port == default_port ? host : host + ":" + port;
}

}  // namespace

std::optional<std::string> normalize_htu(std::string_view uri) {
  uri = uri.substr(0, uri.find_first_of("?#"));
  const std::size_t colon = uri.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string scheme = lower(uri.substr(0, colon));
  if (scheme != "https" && scheme != "http") return std::nullopt;
  const std::string_view rest = uri.substr(colon + 3);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const auto authority = normalize_authority(rest.substr(0, slash), scheme == "https" ? "443" : "80");
  const auto path = normalize_escapes(slash == rest.size() ? "/" : rest.substr(slash));
  if (!authority || !path) return std::nullopt;
  return scheme + "://" + *authority + remove_dot_segments(*path);
}

}  // namespace chancery
