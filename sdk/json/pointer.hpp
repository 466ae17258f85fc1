#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/json/reader.hpp"

namespace chancery::json {

/// One token of a JSON pointer (RFC 6901) as it stands there: "~" and "/" escaped.
[[nodiscard]] std::string escape_token(std::string_view token);

/// The tokens of a JSON pointer, unescaped; none for "", the whole document. nullopt when it is no pointer: it does not
/// begin with "/", or a "~" is followed by neither 0 nor 1.
[[nodiscard]] std::optional<std::vector<std::string>> split_pointer(std::string_view pointer);

/// The member or item of that name or index; nullptr when there is none.
[[nodiscard]] const Value* child_of(const Value& value, std::string_view token) noexcept;

/// What a split pointer points to; nullptr when it is not there.
[[nodiscard]] const Value* value_at(const Value& root, const std::vector<std::string>& tokens) noexcept;

}  // namespace chancery::json
