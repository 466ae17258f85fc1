#pragma once

#include <string>
#include <string_view>

#include <chancery/api_freeze.hpp>
#include <chancery/result.hpp>

namespace chancery::wire {

// The JSON of chancery/api_freeze.hpp, both ways, as messages.hpp has that of chancery/api.hpp.

[[nodiscard]] std::string write(const api::FreezeReason& message);
[[nodiscard]] std::string write(const api::SignedSettings& message);
[[nodiscard]] std::string write(const api::AgentFreeze& message);
[[nodiscard]] std::string write(const api::FreezeState& message);

[[nodiscard]] Result<api::FreezeReason> read_freeze_reason(std::string_view json);
[[nodiscard]] Result<api::SignedSettings> read_signed_settings(std::string_view json);
[[nodiscard]] Result<api::AgentFreeze> read_agent_freeze(std::string_view json);
[[nodiscard]] Result<api::FreezeState> read_freeze_state(std::string_view json);

}  // namespace chancery::wire
