#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <variant>

#include "daemon/runtime/import_command.hpp"
#include "daemon/runtime/review.hpp"

namespace chancery::runtime {

/// What `chancery-runtime` was asked to do.
struct Arguments {
  enum class Action : std::uint8_t { kServe, kCheck, kReview, kImport, kHelp, kVersion, kManPage };
  Action action = Action::kServe;
  std::filesystem::path config_file = "/etc/chancery/runtime.toml";
  ReviewOrder review{};  ///< with kReview
  ImportOrder import{};  ///< with kImport
};

/// \param arguments  without the program's name
/// \return the arguments, or what is wrong with them
[[nodiscard]] std::variant<Arguments, std::string> parse_arguments(std::span<char* const> arguments);

[[nodiscard]] std::string usage();

/// chancery-runtime(8), with all options of its file.
/// \param version  of the program
[[nodiscard]] std::string man_page(const std::string& version);

}  // namespace chancery::runtime
