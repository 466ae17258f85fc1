#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "sdk/cli/constraint_syntax.hpp"
#include "sdk/cli/output.hpp"

namespace chancery::cli {

// What commands share that give authority.

/// `--scope`, `--constraint` and `--constraint-json`.
void add_authority_options(CLI::App& command, AuthorityArguments& authority);

/// How constraints are written, for a command's footer.
[[nodiscard]] const char* constraint_help();

/// Gives a new chain: its text to the file `out`, or to standard output when that is empty; with --format json
/// `answer_json` there in any case.
[[nodiscard]] Checked<ExitCode> give(Output& output, const std::vector<std::string>& chain,
                                     const std::string& answer_json, const std::string& out);

}  // namespace chancery::cli
