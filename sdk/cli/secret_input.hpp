#pragma once

#include <cstddef>
#include <string>

#include <chancery/bytes.hpp>

#include "sdk/cli/failure.hpp"

namespace chancery::cli {

/// Where a command gets a secret from, which is never an argument: those are seen by every process of the machine, and kept
/// in the history of shells. Neither: it is asked for on the terminal.
struct SecretSource {
  std::string file;
  bool is_stdin = false;
};

/// Reads a secret; one newline behind it is not a part of it. On the terminal nothing is shown, and it is asked for twice.
/// \param prompt  what is asked for, on the standard error output
/// \param limit  in octets
/// \return kInvalidArgument (no terminal, two that differ, nothing at all, given up), kTooLarge, kFileUnreadable,
///         kFilePermissions (a file that others may read)
[[nodiscard]] Checked<SecretBytes> read_secret_value(const SecretSource& source, const std::string& prompt,
                                                     std::size_t limit);

}  // namespace chancery::cli
