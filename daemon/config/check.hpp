#pragma once

#include <optional>
#include <string>

#include "daemon/config/config.hpp"

namespace chancery::config {

/// What is wrong with an option, before anybody has looked for its line.
struct Complaint {
  std::string option;  ///< dotted name; "backend[1].name" for an option of the second backend; may be empty
  std::string message;
};

/// The rules of check_config(), with the option that breaks the first one.
[[nodiscard]] std::optional<Complaint> find_contradiction(const Config& config);

}  // namespace chancery::config
