#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <variant>

#include "daemon/config/config.hpp"

namespace chancery {

/// What `chanceryd` was asked to do.
struct Arguments {
  enum class Action : std::uint8_t { kRun, kDev, kHelp, kHelpConfig, kVersion, kManPage };
  Action action = Action::kRun;
  std::filesystem::path config_file = "/etc/chancery/chancery.toml";
  bool check_only = false;
  std::string man_page{};  ///< with kManPage: `chanceryd.8` or `chancery.toml.5`
  config::ListenAddress dev_listen{"127.0.0.1", 0};
};

/// \param arguments  without the program's name
/// \return the arguments, or what is wrong with them
[[nodiscard]] std::variant<Arguments, std::string> parse_arguments(std::span<char* const> arguments);

[[nodiscard]] std::string usage();

/// chanceryd(8).
[[nodiscard]] std::string man_page();

}  // namespace chancery
