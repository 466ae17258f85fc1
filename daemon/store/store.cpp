#include "daemon/store/store.hpp"

namespace chancery::store {

std::string_view agent_state_name(AgentState state) noexcept {
  switch (state) {
    case AgentState::kActive:
      return "active";
    case AgentState::kRetired:
      return "retired";
    case AgentState::kLost:
      return "lost";
  }
  return "";
}

}  // namespace chancery::store
