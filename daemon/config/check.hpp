#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/config/config.hpp"

namespace chancery::config {

/// What is wrong with an option, before anybody has looked for its line.
struct Complaint {
  std::string option;  ///< dotted name; "backend[1].name" for an option of the second backend; may be empty
  std::string message;
};

/// Whether each is a principal or a group, and none stands twice.
/// \param option  that lists them
[[nodiscard]] std::optional<Complaint> check_approvers(const std::string& option,
                                                       const std::vector<std::string>& approvers);

/// What holds for each `[[gate]]`, and between them. Whether a scope is one is for those to say who know scopes.
[[nodiscard]] std::optional<Complaint> find_gate_contradiction(const Config& config);

/// The rules of check_config(), with the option that breaks the first one.
[[nodiscard]] std::optional<Complaint> find_contradiction(const Config& config);

}  // namespace chancery::config
