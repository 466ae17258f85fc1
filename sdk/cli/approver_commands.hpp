#pragma once

#include <string>
#include <vector>

#include "sdk/cli/commands.hpp"
#include "sdk/cli/key_place.hpp"

namespace chancery::cli {

// What people do who decide about what waits: one command group each, as those of commands.hpp.

void add_approver(CLI::App& app, Command& chosen);
void add_deciding(CLI::App& app, Command& chosen);  ///< `approve`, `deny`
void add_gate(CLI::App& app, Command& chosen);

/// Whom `chancery init` makes the first approver.
struct FirstApprover {
  std::string principal{};  ///< empty: nobody
  std::vector<std::string> groups{};
  KeyOptions key{};
};

/// Makes the first approver of a daemon, of this user, and says so. \return what the daemon and approver_or_new() say
[[nodiscard]] Checked<void> enroll_first(Context& context, const Client& client, const FirstApprover& first);

}  // namespace chancery::cli
