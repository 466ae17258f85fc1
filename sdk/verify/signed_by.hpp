#pragma once

#include <cstdint>

#include <chancery/keys.hpp>

namespace chancery {

/// How a token's signature was found good.
struct SignedBy {
  enum class Role : std::uint8_t { kNobody, kAnchor, kHolder, kIssuer };
  Role role = Role::kNobody;
  Thumbprint key;
};

}  // namespace chancery
