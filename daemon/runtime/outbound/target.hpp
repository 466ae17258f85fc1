#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <chancery/result.hpp>

#include "daemon/runtime/outbound/addresses.hpp"

namespace chancery::runtime {

/// Where a call goes, read from a URL in the one form that all readers understand alike.
struct Target {
  std::string url;   ///< as it was given, and as it is sent
  std::string host;  ///< in lower case; an IPv6 address without its brackets
  std::uint16_t port = 0;
  bool is_https = true;
  std::optional<Address> literal{};  ///< set where the host is an address

  /// `https://host:port`, always with the port.
  [[nodiscard]] std::string origin() const;
};

/// Reads a URL strictly: RFC 3986 characters only; no user, fragment, zone or dot segment (`%2e` neither); no escaped CR, LF or
/// NUL; the host in lower case, without a dot at its end, and an IPv4 address as four decimal numbers. What libcurl
/// reads from it must be the same.
/// \param http_allowed  whether `http` is taken besides `https`
/// \return kInvalidArgument, with what is wrong
[[nodiscard]] Result<Target> parse_target(std::string_view url, bool http_allowed);

/// Where an answer's `Location` leads from `from`, by the same rules (RFC 3986 section 5).
/// \return kBadResponse when it is not such a URL
[[nodiscard]] Result<Target> parse_location(const Target& from, const std::string& location);

}  // namespace chancery::runtime
