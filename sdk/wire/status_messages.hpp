#pragma once

#include <string>
#include <string_view>

#include <chancery/api_status.hpp>
#include <chancery/result.hpp>

namespace chancery::wire {

// The JSON of chancery/api_status.hpp, both ways, as messages.hpp has that of chancery/api.hpp.

[[nodiscard]] std::string write(const api::ChangeStatus& message);
[[nodiscard]] std::string write(const api::AskImpact& message);
[[nodiscard]] std::string write(const api::CreateDrill& message);
[[nodiscard]] std::string write(const api::StatusAct& message);
[[nodiscard]] std::string write(const api::Impact& message);
[[nodiscard]] std::string write(const api::Drill& message);

[[nodiscard]] Result<api::ChangeStatus> read_change_status(std::string_view json);
[[nodiscard]] Result<api::AskImpact> read_ask_impact(std::string_view json);
[[nodiscard]] Result<api::CreateDrill> read_create_drill(std::string_view json);
[[nodiscard]] Result<api::StatusAct> read_status_act(std::string_view json);
[[nodiscard]] Result<api::Impact> read_impact(std::string_view json);
[[nodiscard]] Result<api::Drill> read_drill(std::string_view json);

}  // namespace chancery::wire
