#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "daemon/runtime/settings.hpp"
#include "daemon/runtime/tools/tool.hpp"
#include "sdk/mcp/upstream_client.hpp"

namespace chancery::runtime {

/// What is to be reviewed.
struct ReviewOrder {
  std::string tool;                  ///< as it is declared; empty: all of MCP servers
  std::filesystem::path credential;  ///< a file with one, for a server that answers nobody else; empty: none
};

/// What an operator is to read of a tool before writing its digest into the declaration.
struct Review {
  bool is_as_reviewed = false;
  std::string text;  ///< lines, safe for a terminal
};

/// Holds a declaration against what its server lists.
[[nodiscard]] Review review_of(const tools::Tool& tool, const mcp::UpstreamTools& listed);

/// Asks the servers of declared tools for their descriptions and prints a Review of each.
/// \return the program's status: 0 when each is as it was reviewed
[[nodiscard]] int review(const Settings& settings, const std::vector<tools::Tool>& tools,
                         const ReviewOrder& order);

}  // namespace chancery::runtime
