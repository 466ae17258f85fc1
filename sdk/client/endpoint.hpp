#pragma once

#include <functional>
#include <string>
#include <variant>

#include <chancery/client.hpp>
#include <chancery/result.hpp>

namespace chancery::client {

struct UnixEndpoint {
  std::string path;
  bool operator==(const UnixEndpoint&) const = default;
};

struct HttpsEndpoint {
  std::string address;  ///< `https://HOST[:PORT]`, nothing after it
  std::string ca_file;  ///< empty: the system's certificates
  bool operator==(const HttpsEndpoint&) const = default;
};

using Endpoint = std::variant<UnixEndpoint, HttpsEndpoint>;

inline constexpr const char* kDefaultSocket = "/run/chancery/chancery.sock";

/// Looks up an environment variable; nullptr when it is not set.
using Environment = std::function<const char*(const char*)>;

/// Where to call: explicit options, then CHANCERY_SOCKET, then CHANCERY_ADDR, then kDefaultSocket. A variable
/// that is set to nothing counts as not set.
/// \return kInvalidArgument for both a socket and an address in `options`, a path that no socket can have, a
///         URL that is not `https://HOST[:PORT]`
[[nodiscard]] Result<Endpoint> resolve_endpoint(const ClientOptions& options, const Environment& environment);

/// "unix:PATH" or the URL.
[[nodiscard]] std::string describe(const Endpoint& endpoint);

}  // namespace chancery::client
