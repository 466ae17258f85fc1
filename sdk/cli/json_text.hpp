#pragma once

#include <string>
#include <string_view>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::cli {

/// What an argument says: JSON where it is well-formed, else a text.
/// \return the value, or kInvalidArgument for JSON that would not arrive as it was written: a number that
/// binary64
///         cannot hold, a member named twice
[[nodiscard]] Result<json::Node> json_or_text(std::string_view argument);

/// JSON over several lines, indented by two, members in the order of the document; strings as they are.
[[nodiscard]] std::string indented_json(const json::Value& value);

}  // namespace chancery::cli
