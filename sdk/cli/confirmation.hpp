#pragma once

#include <string>

#include "sdk/cli/failure.hpp"
#include "sdk/cli/output.hpp"

namespace chancery::cli {

/// Has a person who has read what was shown say so, on the terminal, by the word `yes`. What was shown is flushed before.
/// \param question   what is about to happen, "Approve this"; on the standard error output
/// \param is_given   the command line said so already: nothing is asked
/// \return misuse without a terminal, with JSON, and for any other answer
[[nodiscard]] Checked<void> confirm(Output& output, const std::string& question, bool is_given);

}  // namespace chancery::cli
