#pragma once

#include <string>
#include <string_view>

#include "hsm/key_backend.hpp"

namespace chancery::hsm {

/// Appends a text behind its length, four octets, big endian.
inline void append_with_length(std::string& out, std::string_view text) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(text.size() >> shift & 0xFF);
  out += text;
}

/// Agent and key id with their lengths in front, so that no two bindings give the same octets.
[[nodiscard]] inline std::string binding_octets(const KeyBinding& binding) {
  std::string octets;
  append_with_length(octets, binding.agent_id);
  append_with_length(octets, binding.key_id);
  return octets;
}

}  // namespace chancery::hsm
