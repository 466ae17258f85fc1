#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace chancery {

/// The form in which two `htu` are compared (RFC 9449 section 4.3): query and fragment dropped, then RFC 3986
/// section 6.2.2 and 6.2.3 normalization of scheme, host case, default port, percent-encoding and dot
/// segments.
/// \return nullopt when it is no absolute http(s) URI with a host
[[nodiscard]] std::optional<std::string> normalize_htu(std::string_view uri);

}  // namespace chancery
