#pragma once

#include <string>

#include "sdk/cli/judged_case.hpp"

namespace chancery::cli {

/// What `authorize` takes beyond the action, when the daemon decides.
struct DecisionArguments {
  std::string reserve;
  std::string idempotency_key;
  bool ada_required = false;
};

/// Asks the daemon whether the action may be done, and shows its decision.
/// \return what the exit status says of a decision; kUndecided when the daemon made none
[[nodiscard]] Checked<ExitCode> authorize_remotely(Context& context, const JudgeArguments& judge,
                                                   const DecisionArguments& arguments);

}  // namespace chancery::cli
