#pragma once

#include <CLI/CLI.hpp>

#include "sdk/cli/context.hpp"

namespace chancery::cli {

// Into the group `attest`.

void add_attest_hosts(CLI::App& attest, Command& chosen);   ///< `host list|show|approve|remove`
void add_attest_key(CLI::App& attest, Command& chosen);     ///< `key`
void add_attest_show(CLI::App& attest, Command& chosen);    ///< `show`
void add_attest_verify(CLI::App& attest, Command& chosen);  ///< `verify`

}  // namespace chancery::cli
