#pragma once

#include <CLI/CLI.hpp>

#include "sdk/cli/context.hpp"

namespace chancery::cli {

/// `delegate`, into the group of contexts.
void add_context_delegation(CLI::App& contexts, Command& chosen);

/// `key`, into the same group.
void add_context_key(CLI::App& contexts, Command& chosen);

}  // namespace chancery::cli
