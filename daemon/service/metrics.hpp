#pragma once

#include <chrono>
#include <vector>

#include "daemon/service/office.hpp"
#include "daemon/telemetry/exposition.hpp"

namespace chancery::service {

/// What a monitoring system may know: counts, with labels of which there are as many as there are backends and
/// states. Waits for the store, never for a device.
[[nodiscard]] std::vector<telemetry::Metric> metrics(const Office& office, std::chrono::sys_seconds now);

}  // namespace chancery::service
