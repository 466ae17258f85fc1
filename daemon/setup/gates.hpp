#pragma once

#include <vector>

#include <chancery/result.hpp>

#include "daemon/config/config.hpp"
#include "daemon/service/gates.hpp"

namespace chancery::setup {

/// The gates of a configuration that was checked.
/// \param granted  `[grants] scopes`
/// \return them, or kConfigInvalid: a scope that is none; scopes of which a part alone is behind a gate that a TPM enforces, so that no
///         ceiling says what the issuer's other keys may grant
[[nodiscard]] Result<std::vector<service::Gate>> gates(const std::vector<config::GateConfig>& configured,
                                                       const std::vector<std::string>& granted);

}  // namespace chancery::setup
