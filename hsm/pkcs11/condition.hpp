#pragma once

#include <cstdint>
#include <vector>

#include "hsm/key_backend.hpp"
#include "hsm/pkcs11/cryptoki.hpp"
#include "hsm/pkcs11/module.hpp"

namespace chancery::hsm {

/// Judges what a token told of its state. Pure.
/// \param identity  what it says of itself
[[nodiscard]] std::vector<Fact> judge(const TokenCondition& condition, const TokenFacts& identity);

}  // namespace chancery::hsm
