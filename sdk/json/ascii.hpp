#pragma once

#include <string>
#include <string_view>

namespace chancery::json {

/// The same JSON on one line of printable ASCII: all else in its strings becomes `\uXXXX`, line ends between
/// its tokens become spaces. For JSON as a terminal may show it, and for a line of a log.
/// \param json  well-formed
[[nodiscard]] std::string ascii_json(std::string_view json);

}  // namespace chancery::json
