#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/runtime/schema/compiled.hpp"

namespace chancery::schema {

// What findings say. Every text is made of the schema alone: none of these sees more of an instance than its kind or a count.

[[nodiscard]] std::string wording(const TypeRule& rule, json::Value::Kind found);
[[nodiscard]] std::string wording(const EqualRule& rule);
[[nodiscard]] std::string wording(const BoundRule& rule);
[[nodiscard]] std::string wording(const MultipleRule& rule);
[[nodiscard]] std::string wording(const SizeRule& rule);

/// "1 item", "2 items".
[[nodiscard]] std::string counted_items(std::size_t count);

/// `"a", "b"`: the first of them, with control characters escaped, and "…" for the others.
[[nodiscard]] std::string listed(const std::vector<std::string_view>& names);

/// A text of the schema in quotes, shortened when it is long.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace chancery::schema
