#pragma once

#include <string>

#include "sdk/cli/awaited_decision.hpp"
#include "sdk/cli/judged_case.hpp"

namespace chancery::cli {

/// What `authorize` takes beyond the action, when the daemon decides.
struct DecisionArguments {
  std::string reserve;
  std::string idempotency_key;
  bool ada_required = false;
  WaitArgument wait;
};

/// Asks the daemon whether the action may be done, and shows its decision; where people have to approve it and it is to wait for them, it
/// asks again then, with a fresh proof.
/// \return what the exit status says of a decision; kUndecided when the daemon made none
[[nodiscard]] Checked<ExitCode> authorize_remotely(Context& context, const JudgeArguments& judge,
                                                   const DecisionArguments& arguments);

}  // namespace chancery::cli
