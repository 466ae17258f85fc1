#pragma once

#include <string_view>

namespace chancery::schema {

/// A format that can be asserted, and what a text of it is called.
struct Format {
  std::string_view name;
  std::string_view wanted;  ///< "a date such as 2026-03-01"
  bool (*matches)(std::string_view text);
};

/// The format of that name; nullptr when it is none of those that can be asserted.
[[nodiscard]] const Format* find_format(std::string_view name) noexcept;

}  // namespace chancery::schema
