#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "sdk/cli/context.hpp"
#include "sdk/incident/judge.hpp"

namespace chancery::cli {

/// `verify`, into the group `incident`.
void add_incident_verify(CLI::App& incident, Command& chosen);

/// What a bundle says, and what of it holds: for people, or as JSON.
void show_incident(Output& output, const incident::Bundle& bundle, const incident::Report& report);

}  // namespace chancery::cli
