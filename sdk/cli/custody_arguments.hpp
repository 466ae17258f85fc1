#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include <chancery/api.hpp>

#include "sdk/cli/failure.hpp"
#include "sdk/cli/output.hpp"

namespace chancery::cli {

/// What must be proved of where a chain's keys live, as arguments give it.
struct CustodyArguments {
  std::string require;
  std::string max_age;
  std::vector<std::string> results;  ///< files
};

void add_custody_options(CLI::App& command, CustodyArguments& arguments);

/// What --require says: a level, or `hardware`; without it nothing; bad usage for any other name.
[[nodiscard]] Checked<std::optional<CustodyRequirement>> parse_required_custody(const std::string& name);

/// Reads everything that the arguments name.
/// \param bundled  results that came with the chain; those of files follow them
[[nodiscard]] Checked<api::CustodyTerms> read_custody_terms(const CustodyArguments& arguments,
                                                            std::vector<std::string> bundled);

/// `custody` and `ignored_results` of a verdict or decision in JSON, a line for each token and result.
void show_custody(Output& output, std::string_view judgement_json);

}  // namespace chancery::cli
