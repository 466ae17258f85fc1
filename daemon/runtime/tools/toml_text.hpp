#pragma once

#include <string>
#include <string_view>

#include "sdk/json/reader.hpp"

namespace chancery::tools {

/// A text as a TOML string on one line, in quotes.
[[nodiscard]] std::string toml_string(std::string_view text);

/// A key as TOML has it: bare where it may be.
[[nodiscard]] std::string toml_key(std::string_view key);

/// A JSON value as an inline TOML value.
/// \param value  without null, which TOML does not have, and with numbers within 2^53
[[nodiscard]] std::string toml_value(const json::Value& value);

}  // namespace chancery::tools
