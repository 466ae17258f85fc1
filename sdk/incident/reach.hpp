#pragma once

#include <vector>

#include <chancery/result.hpp>

#include "sdk/incident/bundle.hpp"

namespace chancery::incident {

/// What the agent reached, by the log's entries and by the tokens below it: tools for which it had permits, actions that enforcement
/// points had permitted, credentials that were released for it, and agents that hold what it delegated. Pure: whoever has the
/// evidence finds the same.
/// \return in the order of kind, name and scope; kMalformed for an entry that is none
[[nodiscard]] Result<std::vector<Reach>> reached_by(const Evidence& evidence);

}  // namespace chancery::incident
