#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/config/config.hpp"

namespace chancery::config {

// The forms that values have inside of TOML strings. Reading answers nothing for any other form.

/// "250ms", "30s", "10m", "8h", "90d": one number and one unit.
[[nodiscard]] std::optional<milliseconds> parse_duration(std::string_view text);
[[nodiscard]] std::string duration_text(milliseconds duration);  ///< in the largest unit that is exact

/// "64KiB", "1MiB", or octets without a unit.
[[nodiscard]] std::optional<std::uint64_t> parse_octets(std::string_view text);
[[nodiscard]] std::string octets_text(std::uint64_t octets);

/// "2.0": with a decimal point, as TOML tells a number from a whole one.
[[nodiscard]] std::string ratio_text(double ratio);

/// Octal permissions, "0660".
[[nodiscard]] std::optional<std::uint32_t> parse_file_mode(std::string_view text);
[[nodiscard]] std::string file_mode_text(std::uint32_t mode);

/// "127.0.0.1:8443" or "[::1]:8443": IP literals only.
[[nodiscard]] std::optional<ListenAddress> parse_address(std::string_view text);
[[nodiscard]] std::string address_text(const ListenAddress& address);

}  // namespace chancery::config
