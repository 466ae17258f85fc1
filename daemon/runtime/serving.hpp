#pragma once

#include <cstddef>
#include <vector>

#include "daemon/edge/server.hpp"
#include "daemon/runtime/settings.hpp"
#include "daemon/runtime/tools/tool.hpp"
#include "daemon/telemetry/log.hpp"

namespace chancery::runtime {

/// How many calls are under way at most.
inline constexpr std::size_t kCallsAtOnce = 32;

// What the runtime's parts are started with, and what they are given when its file was read anew.

/// Those of the declared tools that agents may have: of MCP servers those that somebody has reviewed.
[[nodiscard]] std::vector<tools::Tool> served(std::vector<tools::Tool> tools);

/// Limits of connections: a request may take as long as the slowest tool, and a minute.
[[nodiscard]] edge::Limits limits_for(const std::vector<tools::Tool>& tools);

/// \param log  borrowed; outlives the server
[[nodiscard]] edge::ServerOptions server_options(const Settings& settings, const edge::Limits& limits,
                                                 const telemetry::Log& log);

[[nodiscard]] telemetry::LogOptions log_options(const Settings& settings);

}  // namespace chancery::runtime
