#pragma once

#include <CLI/CLI.hpp>

#include "sdk/cli/context.hpp"

namespace chancery::cli {

/// `scan`: secrets that stand in files. It asks no daemon.
void add_scan(CLI::App& app, Command& chosen);

}  // namespace chancery::cli
