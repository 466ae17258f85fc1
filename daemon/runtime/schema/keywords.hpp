#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace chancery::schema {

/// What stands in a keyword's value.
enum class Holds : std::uint8_t { kNoSchema, kSchema, kSchemaList, kSchemaMap };

struct Keyword {
  std::string_view name;
  Holds holds = Holds::kNoSchema;
};

/// Every keyword of 2020-12, `definitions` and `dependencies`, which it only reserves, left out.
[[nodiscard]] std::span<const Keyword> keywords() noexcept;

/// The keyword of that name; nullptr when 2020-12 has none.
[[nodiscard]] const Keyword* find_keyword(std::string_view name) noexcept;

/// The keyword whose spelling is nearest.
[[nodiscard]] std::string_view nearest_keyword(std::string_view name);

}  // namespace chancery::schema
