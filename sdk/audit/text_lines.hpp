#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <chancery/bytes.hpp>

namespace chancery::audit {

// What the texts of C2SP consist of: lines, decimal numbers and hashes, each in one form only.

/// Takes the next line off the text, without its line feed. \return nothing when there is no whole one
[[nodiscard]] std::optional<std::string_view> take_line(std::string_view& text) noexcept;

/// Without sign and leading zeros. \return nothing for every other form, and beyond 64 bits
[[nodiscard]] std::optional<std::uint64_t> parse_decimal(std::string_view text);

/// A SHA-256 in base64 with padding. \return nothing for every other form
[[nodiscard]] std::optional<Sha256Digest> parse_hash(std::string_view text);

}  // namespace chancery::audit
