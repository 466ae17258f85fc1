#pragma once

#include <functional>
#include <string>

#include <CLI/CLI.hpp>

namespace chancery::cli {

// What is said of the program elsewhere, from the table of commands that it reads its arguments by.

/// chancery(1): every command with its arguments and options.
[[nodiscard]] std::string man_page(const CLI::App& app);

/// Completion of commands and options for bash, zsh and fish; everything else is completed as a file.
[[nodiscard]] std::string bash_completion(const CLI::App& app);
[[nodiscard]] std::string zsh_completion(const CLI::App& app);
[[nodiscard]] std::string fish_completion(const CLI::App& app);

/// `chancery reference man|bash|zsh|fish`, for who packs it: not in the help.
/// \param write  what prints the page
void add_reference(CLI::App& app, const std::function<void(const std::string& page)>& write);

}  // namespace chancery::cli
