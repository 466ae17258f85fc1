#pragma once

#include <string>
#include <string_view>

namespace chancery::schema {

/// A URI reference resolved against a base URI (RFC 3986 section 5.2.2), with its fragment.
/// \param base  absolute, or empty when there is none: then the reference stays as it is
[[nodiscard]] std::string resolve_uri(std::string_view base, std::string_view reference);

/// A URI and its fragment, which is empty when there is none.
struct DividedUri {
  std::string_view uri;
  std::string_view fragment;
};
[[nodiscard]] DividedUri divide_uri(std::string_view uri) noexcept;

/// `text` with its percent escapes replaced by the octets that they stand for; what is no whole escape stays.
[[nodiscard]] std::string percent_decode(std::string_view text);

}  // namespace chancery::schema
