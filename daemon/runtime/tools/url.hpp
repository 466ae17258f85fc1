#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <chancery/result.hpp>

namespace chancery::tools {

/// A URL of http or https that every reader takes for the same: what several parsers read in several ways is refused, and
/// what is left has one spelling. In it scheme and host are in lower case, the port is there only when it is not the scheme's own,
/// the path has no dot segments, and escapes stand only where they must, in upper case.
struct Url {
  std::string scheme;
  std::string host;  ///< a name, an IPv4 address, or an IPv6 address in brackets
  std::uint16_t port = 0;
  std::string path;                  ///< begins with "/"
  std::optional<std::string> query;  ///< without "?"

  /// The scheme's own port, 80 or 443.
  [[nodiscard]] std::uint16_t default_port() const noexcept { return scheme == "https" ? 443 : 80; }
  /// "https://host:8443": what a browser calls the origin.
  [[nodiscard]] std::string origin() const;
  [[nodiscard]] std::string text() const;
  bool operator==(const Url&) const = default;
};

/// Reads a URL of others.
/// \return the URL, or kInvalidArgument: another scheme, user information, a fragment, spaces, control characters and
///         backslashes wherever they stand, characters that are not ASCII, malformed escapes and such that stand for
///         control characters, an empty port or none that exists, a host that canonical_host() refuses
[[nodiscard]] Result<Url> parse_url(std::string_view text);

/// A host in its one spelling: a name of letters, digits, hyphens and dots in lower case, an IPv4 address in four decimal
/// numbers, or an IPv6 address in brackets as RFC 5952 has it.
/// \return the host, or kInvalidArgument: not ASCII (write the xn-- form), an escape, an underscore, an empty label or a dot at
///         the end, a label of more than 63 octets, an IPv4 address in any other notation (hexadecimal, octal, short, one
///         number), an IPv6 address with a zone
[[nodiscard]] Result<std::string> canonical_host(std::string_view text);

/// A path of a file in its one spelling: escapes decoded once, empty and "." segments gone, ".." taken back, no slash at the end.
/// Symbolic links are the file system's affair: nothing is looked up.
/// \return the path, or kInvalidArgument: it does not begin with "/", ".." leads out of the root, it holds control characters
///         or a backslash, a malformed escape, or one that was escaped itself and would be decoded by whoever decodes again
[[nodiscard]] Result<std::string> canonical_path(std::string_view text);

/// Whether a text has a control character: C0 with NUL, CR and LF, DEL, or C1.
/// \param text  UTF-8
[[nodiscard]] bool has_control(std::string_view text) noexcept;

/// How many segments a path has, and a query how many parameters.
[[nodiscard]] std::size_t count_segments(std::string_view path) noexcept;
[[nodiscard]] std::size_t count_parameters(const std::optional<std::string>& query) noexcept;

}  // namespace chancery::tools
