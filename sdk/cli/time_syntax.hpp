#pragma once

#include <chrono>
#include <string_view>

#include <chancery/result.hpp>

namespace chancery::cli {

/// A length of time: `90` or `90s`, `30m`, `8h`, `7d`, `2w`, and sums, the largest unit first: `1h30m`.
/// \return more than zero, at most 100 years; else kInvalidArgument
[[nodiscard]] Result<std::chrono::seconds> parse_duration(std::string_view text);

/// An instant: RFC 3339 (`2026-03-01T12:00:00Z`, `…+01:00`; a fraction is cut off), or whole seconds since
/// 1970.
/// \return kInvalidArgument for anything else
[[nodiscard]] Result<std::chrono::sys_seconds> parse_instant(std::string_view text);

}  // namespace chancery::cli
