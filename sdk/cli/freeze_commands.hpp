#pragma once

#include <CLI/CLI.hpp>

#include "sdk/cli/context.hpp"

namespace chancery::cli {

/// `freeze` and `unfreeze`, into the group of agents.
void add_agent_freeze(CLI::App& agents, Command& chosen);

}  // namespace chancery::cli
