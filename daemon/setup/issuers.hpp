#pragma once

#include <vector>

#include <chancery/result.hpp>

#include "daemon/config/config.hpp"
#include "daemon/service/issuer_line.hpp"

namespace chancery::setup {

/// The issuers of credentials that the configuration names. \return kFileUnreadable (a file of authorities)
[[nodiscard]] Result<std::vector<service::IssuerSetup>> issuers(const config::VaultConfig& config);

}  // namespace chancery::setup
