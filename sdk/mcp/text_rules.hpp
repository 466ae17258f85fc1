#pragma once

#include <string>
#include <string_view>

#include "sdk/json/reader.hpp"

namespace chancery::mcp {

/// Whether a text may name a tool: 1 to 128 of A-Z, a-z, 0-9, `_`, `-` and `.` (Tools, "Tool Names", which only
/// recommends it). Such a name is the same in a header, a log line, a prompt and a path.
[[nodiscard]] bool is_tool_name(std::string_view text) noexcept;

/// Whether UTF-8 text has characters that a person who reviews it does not see and a model reads: controls but tab
/// and line ends, bidirectional marks and overrides, invisible operators, fillers and tags. Octets that are not
/// UTF-8 count as such.
[[nodiscard]] bool has_hidden_characters(std::string_view text) noexcept;

/// The same for each text and each member's name within a value.
[[nodiscard]] bool has_hidden_characters(const json::Value& value) noexcept;

/// Whether a text is 1 to `most` visible ASCII characters (0x21 to 0x7E).
[[nodiscard]] bool is_visible_ascii(std::string_view text, std::size_t most) noexcept;

/// The beginning of another's text, made printable: at most `most` octets of UTF-8. What may hold secrets is looked through
/// before: nothing finds a part of one.
[[nodiscard]] std::string printable_text(std::string_view text, std::size_t most);

}  // namespace chancery::mcp
