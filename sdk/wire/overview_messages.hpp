#pragma once

#include <string>
#include <string_view>

#include <chancery/api_overview.hpp>
#include <chancery/result.hpp>

namespace chancery::wire {

// The JSON of chancery/api_overview.hpp, both ways.

[[nodiscard]] std::string write(const api::Overview& message);
[[nodiscard]] std::string write(const api::Anomaly& message);
[[nodiscard]] std::string write(const api::AnomalyList& message);

[[nodiscard]] Result<api::Overview> read_overview(std::string_view json);
[[nodiscard]] Result<api::Anomaly> read_anomaly(std::string_view json);
[[nodiscard]] Result<api::AnomalyList> read_anomaly_list(std::string_view json);

}  // namespace chancery::wire
