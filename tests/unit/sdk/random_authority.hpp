#pragma once

#include <chancery/token.hpp>

#include "tests/unit/sdk/random_source.hpp"

namespace chancery::tests {

/// Scopes over so few words that two random ones often cover each other.
[[nodiscard]] std::string random_scope(RandomSource& random);

/// An authority of up to four scopes and up to four constraints, over so few keys and values that two random
/// ones often speak of the same.
[[nodiscard]] Authority random_authority(RandomSource& random);

}  // namespace chancery::tests
