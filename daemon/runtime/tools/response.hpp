#pragma once

#include <string>
#include <string_view>

#include "daemon/runtime/tools/tool.hpp"
#include "sdk/json/reader.hpp"

namespace chancery::tools {

/// What stands in place of a field that `pii` names.
inline constexpr std::string_view kRedactedField = "[redacted]";

/// What of an upstream's answer an agent gets: the fields that the tool allows, each with all that is in it, and nothing else.
/// Lists and objects on the way to them stay, without their other items and members; fields that `pii` names
/// are there as kRedactedField. Numbers beyond 2^53 are there as texts, as the upstream wrote them.
/// \param answer  read with allow_unsafe_integers, or else there are no such numbers
/// \return JCS; "null" when nothing of the answer may pass
[[nodiscard]] std::string shape_response(const Tool& tool, const json::Value& answer);

}  // namespace chancery::tools
