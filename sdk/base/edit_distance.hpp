#pragma once

#include <cstddef>
#include <string_view>

namespace chancery {

/// Levenshtein's distance: the fewest insertions, deletions and replacements of octets that lead from a to b. For guesses at what
/// somebody meant; its cost is the product of both lengths.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace chancery
