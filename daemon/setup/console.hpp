#pragma once

#include <memory>
#include <optional>

#include <chancery/passkeys.hpp>
#include <chancery/result.hpp>

#include "daemon/config/config.hpp"
#include "daemon/service/console_desk.hpp"

namespace chancery::setup {

/// For whom and where passkeys answer; nullopt where no browser could open a page.
[[nodiscard]] std::optional<RelyingParty> relying_party(const config::Config& config);

/// The console with its files, which are read now; nullptr when it is not enabled.
/// \return kConfigInvalid (files, a user that there is not), kFileUnreadable
[[nodiscard]] Result<std::unique_ptr<service::ConsoleDesk>> console(const config::Config& config);

}  // namespace chancery::setup
