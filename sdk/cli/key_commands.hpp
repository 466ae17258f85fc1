#pragma once

#include <CLI/CLI.hpp>

#include <chancery/api.hpp>

#include "sdk/cli/context.hpp"

namespace chancery::cli {

/// `rotate` and `reenroll`, into the group of agents.
void add_agent_rotation(CLI::App& agents, Command& chosen);

/// `adopt`, into the group of backends.
void add_backend_adoption(CLI::App& backends, Command& chosen);

/// `keys` and `rotate-key`, into the group of attestation.
void add_attestation_keys(CLI::App& attest, Command& chosen);

/// What an end of keys ends, for people.
void show_ended(Output& output, const api::Ended& ended);

}  // namespace chancery::cli
