#pragma once

#include <chrono>
#include <functional>

#include <chancery/client.hpp>

#include "sdk/cli/failure.hpp"
#include "sdk/cli/output.hpp"

namespace chancery::cli {

/// What every command gets from main, which alone reads the clock.
struct Context {
  Output& output;
  ClientOptions daemon;
  std::chrono::sys_seconds now{};
};

/// What the command line chose to run; a subcommand's callback sets it.
using Command = std::function<Checked<ExitCode>(Context&)>;

}  // namespace chancery::cli
