#pragma once

#include <cstddef>
#include <cstdlib>
#include <string_view>

namespace chancery::drills {

/// A drill runs at a moderate size with the other tests, and at full size in `./dev soak`.
inline bool at_full_size() {
  const char* size = std::getenv("CHANCERY_DRILLS");
  return size != nullptr && std::string_view(size) == "full";
}

inline std::size_t size(std::size_t moderate, std::size_t full) { return at_full_size() ? full : moderate; }

}  // namespace chancery::drills
