#pragma once

#include <vector>

#include "daemon/edge/server.hpp"
#include "daemon/runtime/settings.hpp"
#include "daemon/runtime/tools/tool.hpp"
#include "daemon/telemetry/log.hpp"

namespace chancery::runtime {

// What the runtime's parts are started with, and what they are given when its file was read anew.

/// Those of the declared tools that this version calls: over HTTP. Declarations of MCP servers are read and checked.
[[nodiscard]] std::vector<tools::Tool> served(std::vector<tools::Tool> tools);

/// Limits of connections: a request may take as long as the slowest tool, and a minute.
[[nodiscard]] edge::Limits limits_for(const std::vector<tools::Tool>& tools);

/// \param log  borrowed; outlives the server
[[nodiscard]] edge::ServerOptions server_options(const Settings& settings, const edge::Limits& limits,
                                                 const telemetry::Log& log);

[[nodiscard]] telemetry::LogOptions log_options(const Settings& settings);

}  // namespace chancery::runtime
