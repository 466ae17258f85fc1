#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/cli/failure.hpp"
#include "sdk/cli/finding.hpp"

namespace chancery::cli {

/// The settings of a systemd service by their name in a unit file; of one that is set several times, the values joined
/// by blanks. What a unit does not say is not in it.
using UnitSettings = std::map<std::string, std::string, std::less<>>;

/// Reads the `[Service]` section of a unit file: comments, continued lines, and an empty value that takes back what
/// was said before.
[[nodiscard]] UnitSettings parse_unit_file(std::string_view text);

/// Reads what `systemctl show` says of a loaded unit, drop-ins and defaults included.
[[nodiscard]] UnitSettings parse_shown_unit(std::string_view text);

/// What is weaker in these settings than in the unit that Chancery brings, and what to do about it; one finding that all
/// is well when nothing is.
[[nodiscard]] std::vector<Finding> judge_unit(const UnitSettings& settings);

/// judge_unit() of the unit of that name as systemd has loaded it, or of a file when `unit` has a slash in it.
[[nodiscard]] Checked<std::vector<Finding>> examine_unit(const std::string& unit);

}  // namespace chancery::cli
