#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <chancery/passkeys.hpp>
#include <chancery/result.hpp>

#include "daemon/config/config.hpp"
#include "daemon/service/console_desk.hpp"

namespace chancery::setup {

/// For whom and where passkeys answer; nullopt where no browser could open a page.
[[nodiscard]] std::optional<RelyingParty> relying_party(const config::Config& config);

/// Who the users of this machine are, as `[console] approvers` says, whether there is a console or not: principals by user ids.
/// \return kConfigInvalid (a user that there is not, or is named twice)
[[nodiscard]] Result<std::map<std::uint32_t, std::string>> persons(const config::ConsoleConfig& console);

/// The console with its files, which are read now; nullptr when it is not enabled.
/// \return kConfigInvalid (files, a user that there is not), kFileUnreadable
[[nodiscard]] Result<std::unique_ptr<service::ConsoleDesk>> console(const config::Config& config);

}  // namespace chancery::setup
