#pragma once

#include <chrono>
#include <functional>
#include <string>

#include <chancery/client.hpp>

#include "sdk/cli/failure.hpp"
#include "sdk/cli/output.hpp"

namespace chancery::cli {

/// What every command gets from main, which alone reads the clock.
struct Context {
  Output& output;
  ClientOptions daemon;  ///< as the options say
  std::chrono::sys_seconds now{};
  std::string name{};  ///< of the stored context that --context says
};

/// A client of the daemon that options, environment or the stored context name, in this order.
/// \return misuse and the context's errors; see load_context() and Client::connect()
[[nodiscard]] Checked<Client> connect(const Context& context);

/// The same, before anything is opened.
[[nodiscard]] Checked<ClientOptions> options_of(const Context& context);

/// What the command line chose to run; a subcommand's callback sets it.
using Command = std::function<Checked<ExitCode>(Context&)>;

}  // namespace chancery::cli
