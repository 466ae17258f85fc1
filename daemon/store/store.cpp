#include "daemon/store/store.hpp"

namespace chancery::store {

std::string_view key_state_name(KeyState state) noexcept {
  switch (state) {
    case KeyState::kActive:
      return "active";
    case KeyState::kRotating:
      return "rotating";
    case KeyState::kRetired:
      return "retired";
    case KeyState::kLost:
      return "lost";
    case KeyState::kRevoked:
      return "revoked";
  }
  return "";
}

bool may_become(KeyState from, KeyState to) noexcept {
  using enum KeyState;
  switch (from) {
    case kActive:
      return to != kActive;
    case kRotating:
      return to == kRetired || to == kLost || to == kRevoked;
    case kLost:  // back again with its device, or given up
      return to != kLost;
    case kRetired:
      return to == kRevoked;
    case kRevoked:
      return false;
  }
  return false;
}

}  // namespace chancery::store
