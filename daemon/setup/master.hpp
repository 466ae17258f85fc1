#pragma once

#include <chrono>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "daemon/config/config.hpp"
#include "daemon/store/store.hpp"
#include "daemon/telemetry/log.hpp"

namespace chancery::setup {

/// The secret from which the auth of each TPM key comes and under which records are sealed: read, or made for an
/// empty store. Records that are damaged are told to the log, and not used.
/// \return the secret, or kConfigInvalid when it is another than the store's keys were made under; the store's
///         errors and those of load_master_key()
[[nodiscard]] Result<SecretBytes> open_master(store::Store& store, const config::Config& config,
                                              const telemetry::Log& log, std::chrono::sys_seconds now);

}  // namespace chancery::setup
