#pragma once

#include <string>
#include <string_view>

#include <chancery/api_incident.hpp>
#include <chancery/result.hpp>

namespace chancery::wire {

// The JSON of chancery/api_incident.hpp, as messages.hpp has that of chancery/api.hpp.

[[nodiscard]] std::string write(const api::OpenIncident& message);
[[nodiscard]] Result<api::OpenIncident> read_open_incident(std::string_view json);

/// The answer is the bundle itself.
[[nodiscard]] inline std::string write(const api::Incident& message) { return message.bundle; }

}  // namespace chancery::wire
