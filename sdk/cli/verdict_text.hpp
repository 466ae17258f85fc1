#pragma once

#include <string>
#include <string_view>

#include "sdk/cli/failure.hpp"
#include "sdk/cli/output.hpp"

namespace chancery::cli {

/// A denial as the daemon, or this program, words it.
struct DenialText {
  std::string outcome;
  std::string step;
  int hop = -1;  ///< -1: of no one token, or not told
  std::string reason;
};

/// Of an outcome other than valid: kUndecided for those that say that it could not be told, such as
/// "status_unknown".
[[nodiscard]] ExitCode denial_exit(std::string_view outcome);

/// `DENIED: expired`, or `UNDECIDED: …`, and why.
void show_denial(Output& output, const DenialText& denial);

/// What the daemon refused when it was asked to judge: it gave no verdict, whatever it said.
[[nodiscard]] Failure not_judged(const ClientError& error);

}  // namespace chancery::cli
