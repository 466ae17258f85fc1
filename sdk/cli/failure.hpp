#pragma once

#include <string>
#include <string_view>

#include <chancery/client.hpp>
#include <chancery/result.hpp>

namespace chancery::cli {

/// What the process says by its exit status.
enum class ExitCode : int {
  kSuccess = 0,    ///< valid, done
  kDenied = 1,     ///< a chain was denied, the daemon refused, a vector was not met
  kUndecided = 2,  ///< could not tell: unknown status, no trust, unreadable input, no daemon, bad usage
};

/// Why a command ends without having answered. `message` may quote arguments, files and the daemon; what
/// prints it escapes it for a terminal.
struct Failure {
  ExitCode exit = ExitCode::kUndecided;
  std::string code;     ///< stable, as error_name gives it, or the daemon's own
  std::string message;  ///< one line that says what to do
  std::string problem;  ///< the daemon's problem document (RFC 9457), JSON; empty when it did not refuse
};

template <typename T>
using Checked = Result<T, Failure>;

/// \param subject  the file or argument that it concerns; put before the message
[[nodiscard]] Failure failure(const Error& error, std::string_view subject = {});

/// kDenied when the daemon refused; kUndecided when it could not be asked, was too busy or failed itself.
[[nodiscard]] Failure failure(const ClientError& error);

/// Bad usage: kInvalidArgument.
[[nodiscard]] Failure misuse(std::string message);

}  // namespace chancery::cli
