#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace chancery {

/// RFC 3986 section 2.3: letters, digits, `-`, `.`, `_` and `~`, which never need an escape.
[[nodiscard]] bool is_unreserved(char c) noexcept;

/// `%XX`, with digits in upper case (section 2.1).
[[nodiscard]] std::string percent_escape(char c);

/// `text` with every other octet escaped: it stands for itself in any part of a URI.
[[nodiscard]] std::string percent_encode(std::string_view text);

/// The octet that the escape at the front of `text` stands for; nullopt when there is no whole escape.
[[nodiscard]] std::optional<char> decode_escape(std::string_view text) noexcept;

}  // namespace chancery
