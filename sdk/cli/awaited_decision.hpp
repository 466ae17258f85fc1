#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include <chancery/api_approvals.hpp>
#include <chancery/client.hpp>

#include "sdk/cli/context.hpp"

namespace chancery::cli {

/// `--wait` or `--wait=DURATION`; empty: it was not given.
using WaitArgument = std::string;

void add_wait_option(CLI::App& command, WaitArgument& wait);

/// That it is a length of time where one is given: to be looked at before anything is asked for. \return misuse
[[nodiscard]] Checked<void> check_wait(const WaitArgument& wait);

/// Waits until people have decided about the request, for as long as the argument says or else until it expires, and says on standard error what
/// it waits for.
/// \return whether it was approved, so that the same can be asked for again; not when the time was over, which it says too
[[nodiscard]] Checked<bool> await_approval(Context& context, const Client& client,
                                           const api::PendingApproval& asked, const WaitArgument& wait);

}  // namespace chancery::cli
