#pragma once

#include <string>
#include <string_view>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::cli {

/// The same JSON on one line of printable ASCII: all else in its strings becomes `\uXXXX`, line ends between
/// its tokens become spaces. For JSON as a terminal may show it.
/// \param json  well-formed
[[nodiscard]] std::string ascii_json(std::string_view json);

/// What an argument says: JSON where it is well-formed, else a text.
/// \return the value, or kInvalidArgument for JSON that would not arrive as it was written: a number that
/// binary64
///         cannot hold, a member named twice
[[nodiscard]] Result<json::Node> json_or_text(std::string_view argument);

/// JSON over several lines, indented by two, members in the order of the document; strings as they are.
[[nodiscard]] std::string indented_json(const json::Value& value);

}  // namespace chancery::cli
