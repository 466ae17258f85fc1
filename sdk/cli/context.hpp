#pragma once

#include <chrono>
#include <functional>
#include <string>

#include <chancery/session.hpp>

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

/// A variable of this process's environment; nullptr when it is not set.
[[nodiscard]] const char* environment(const char* name);

/// A client of the daemon that the options name; else that of the session in which the command was started, with
/// its access; else the one that the environment or the stored context in use names.
/// \return misuse and the context's errors; see load_context(), Session::inherited() and Client::connect()
[[nodiscard]] Checked<Client> connect(const Context& context);

/// The same without showing any authority over TLS, and none can have ended: for what takes the signature in the body alone.
[[nodiscard]] Checked<Client> connect_as_anybody(const Context& context);

/// What connect() goes by, before anything is opened. Once: a session's descriptor is read and closed.
[[nodiscard]] Checked<SessionOptions> options_of(const Context& context);

/// What the command line chose to run; a subcommand's callback sets it.
using Command = std::function<Checked<ExitCode>(Context&)>;

}  // namespace chancery::cli
