#pragma once

#include <optional>

#include "daemon/store/ledger.hpp"

namespace chancery::service {

// Amounts are decimals with at most six places, and are held as integers, since sums of binary fractions
// drift. Read from a number's canonical decimal form, which is what its author wrote.

/// nullopt for what is negative, not finite, finer than a millionth, or beyond what 64 bits hold.
[[nodiscard]] std::optional<store::Millionths> exact_millionths(double amount);

/// A bound as the greatest amount within it: -1 for a negative one, the greatest there is for one beyond it.
[[nodiscard]] store::Millionths bound_millionths(double bound);

/// The decimal, "12.5", for people.
[[nodiscard]] std::string amount_text(store::Millionths amount);

}  // namespace chancery::service
