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

/// A decimal that is not negative, below 9e12 and with at most six places, without zeros that say nothing: "99.50" is "99.5".
[[nodiscard]] std::optional<std::string> decimal_text(std::string_view text);

/// When something is open, by the local time of a zone.
struct LocalHours {
  std::uint8_t days = 0;         ///< bit 0 is Monday, bit 6 Sunday
  std::chrono::minutes from{0};  ///< since midnight; inclusive
  std::chrono::minutes to{0};    ///< exclusive; after `from`, at most 24 hours
  std::string zone;              ///< has the form of a name of the IANA database
  bool operator==(const LocalHours&) const = default;
};

/// "Mo-Fr 08:00-18:00 Europe/Berlin": days of Mo, Tu, We, Th, Fr, Sa, Su in the order of the week, as ranges or one by one
/// ("Mo,We-Fr"), then times, of which 24:00 ends the day, then a zone.
[[nodiscard]] std::optional<LocalHours> parse_hours(std::string_view text);

/// Octal permissions, "0660".
[[nodiscard]] std::optional<std::uint32_t> parse_file_mode(std::string_view text);
[[nodiscard]] std::string file_mode_text(std::uint32_t mode);

/// "127.0.0.1:8443" or "[::1]:8443": IP literals only.
[[nodiscard]] std::optional<ListenAddress> parse_address(std::string_view text);
[[nodiscard]] std::string address_text(const ListenAddress& address);

}  // namespace chancery::config
