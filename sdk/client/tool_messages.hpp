#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>
#include <chancery/tool_client.hpp>

namespace chancery::client {

/// What `GET /v1/tools` answers. \return kMalformed
[[nodiscard]] Result<std::vector<OfferedTool>> read_tools(std::string_view json);

/// What `POST /v1/tools/{name}` answers, whatever the status. \return kMalformed
[[nodiscard]] Result<ToolOutcome> read_outcome(std::string_view json);

/// The body of a call. \param arguments  a JSON object in JCS
[[nodiscard]] std::string call_text(std::string arguments);

/// Names the action that a call is, so that a proof is good for it alone: the tool's scope, and as parameters the arguments
/// with, besides, what constraints look at in deeper places.
/// \param arguments  a JSON object
/// \return the digest for `ada`; kMalformed (no object, a pointer that is none), kNonFinite
[[nodiscard]] Result<std::string> call_digest(const OfferedTool& tool, std::string_view arguments);

}  // namespace chancery::client
