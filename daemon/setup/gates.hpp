#pragma once

#include <vector>

#include <chancery/result.hpp>

#include "daemon/config/config.hpp"
#include "daemon/service/gates.hpp"

namespace chancery::setup {

/// The gates of a configuration that was checked. \return them, or kConfigInvalid: a scope that is none
[[nodiscard]] Result<std::vector<service::Gate>> gates(const std::vector<config::GateConfig>& configured);

}  // namespace chancery::setup
