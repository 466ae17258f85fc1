#include "sdk/client/endpoint.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <sys/un.h>

namespace chancery::client {
namespace {

constexpr std::string_view kScheme = "https://";

Error invalid(const char* what) { return Error{ErrorCode::kInvalidArgument, what}; }

std::string variable(const Environment& environment, const char* name) {
  const char* value = environment(name);
  return value == nullptr ? std::string() : std::string(value);
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
         c == '_';
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && port >= 1 && port <= 65535;
}

// HOST, HOST:PORT, [IPv6] or [IPv6]:PORT. The host itself is the resolver's to judge.
bool is_authority(std::string_view text) {
  std::size_t host_end = 0;
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos || bracket < 3) return false;
    const std::string_view address = text.substr(1, bracket - 1);
    if (address.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) return false;
    host_end = bracket + 1;
  } else {
    host_end = static_cast<std::size_t>(std::ranges::find_if_not(text, is_host_character) - text.begin());
    if (host_end == 0) return false;
  }
  const std::string_view rest = text.substr(host_end);
  return rest.empty() || (rest.starts_with(':') && is_port(rest.substr(1)));
}

Result<Endpoint> unix_endpoint(std::string path) {
  // sun_path holds its terminating zero too.
  if (path.size() >= sizeof(sockaddr_un::sun_path) || path.find('\0') != std::string::npos) {
    return invalid("the socket's path is too long for a Unix socket: give one of at most 107 characters");
  }
  return Endpoint(UnixEndpoint{std::move(path)});
}

Result<Endpoint> https_endpoint(std::string_view address, const ClientOptions& options,
                                const Environment& environment) {
  const bool https = address.starts_with(kScheme);
  if (https) address.remove_prefix(kScheme.size());
  if (address.ends_with('/')) address.remove_suffix(1);
  if (!https || !is_authority(address))
    return invalid("the daemon's address must be https://HOST or https://HOST:PORT");
  std::string url = std::string(kScheme).append(address);
  return Endpoint(HttpsEndpoint{
      std::move(url), options.ca_file.empty() ? variable(environment, "CHANCERY_CACERT") : options.ca_file});
}

}  // namespace

Result<Endpoint> resolve_endpoint(const ClientOptions& options, const Environment& environment) {
  if (!options.socket.empty() && !options.address.empty()) {
    return invalid("give either the daemon's socket or its address, not both");
  }
  if (!options.socket.empty()) return unix_endpoint(options.socket);
  if (!options.address.empty()) return https_endpoint(options.address, options, environment);
  if (std::string path = variable(environment, "CHANCERY_SOCKET"); !path.empty())
    return unix_endpoint(std::move(path));
  if (const std::string address = variable(environment, "CHANCERY_ADDR"); !address.empty()) {
    return https_endpoint(address, options, environment);
  }
  return unix_endpoint(kDefaultSocket);
}

std::string describe(const Endpoint& endpoint) {
  if (const auto* socket = std::get_if<UnixEndpoint>(&endpoint)) return "unix:" + socket->path;
  return std::get<HttpsEndpoint>(endpoint).address;
}

}  // namespace chancery::client
