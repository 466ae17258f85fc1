#pragma once

#include <optional>
#include <string>

#include "tests/integration/daemon/daemon_process.hpp"

namespace chancery::tests {

/// What `GET /metrics` answers on the daemon's socket. A Boost requirement.
[[nodiscard]] std::string scrape(const DaemonProcess& daemon);

/// The value of one series, named as it stands there: `chancery_backend_up{backend="tpm"}`.
[[nodiscard]] std::optional<double> metric(const std::string& scraped, const std::string& series);

}  // namespace chancery::tests
