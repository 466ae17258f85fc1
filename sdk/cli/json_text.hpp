#pragma once

#include <string>
#include <string_view>

#include "sdk/json/reader.hpp"

namespace chancery::cli {

/// The same JSON on one line of printable ASCII: all else in its strings becomes `\uXXXX`, line ends between
/// its tokens become spaces. For JSON as a terminal may show it. \param json  well-formed
[[nodiscard]] std::string ascii_json(std::string_view json);

/// JSON over several lines, indented by two, members in the order of the document; strings as they are.
[[nodiscard]] std::string indented_json(const json::Value& value);

}  // namespace chancery::cli
