#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

namespace chancery {

/// `text` made safe for a terminal: control characters (C0, DEL, C1), bidirectional overrides and what is not drawn
/// come out as `\u{HEX}`, octets that are not UTF-8 as `\x{HEX}`; everything else as it is.
[[nodiscard]] std::string printable(std::string_view text);

/// `a, b, c`
[[nodiscard]] std::string joined(std::span<const std::string> texts);

/// RFC 3339 in UTC with whole seconds, "2026-03-01T12:00:00Z". Seconds beyond the year 9999, or before 1970,
/// come out as the bare number.
[[nodiscard]] std::string utc_text(double seconds_since_1970);

}  // namespace chancery
