#pragma once

#include <string>
#include <vector>

#include "daemon/runtime/tools/prepare.hpp"

namespace chancery::tools {

/// Arguments in their one spelling, and what of them is authorized.
struct CanonicalArguments {
  std::string arguments;  ///< JCS
  std::string params;     ///< JCS; without the parameters whose arguments are not there
};

/// Reads each argument that feeds a constraint as its form says, and puts that value in its place.
[[nodiscard]] Result<CanonicalArguments, CallRefusal> canonical_arguments(
    const std::vector<ConstraintSource>& constraints, const json::Value& arguments);

}  // namespace chancery::tools
