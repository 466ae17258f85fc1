#pragma once

#include <functional>
#include <string_view>

#include <chancery/tool_client.hpp>

#include "sdk/mcp/tool_host.hpp"

namespace chancery::cli {

/// What the runtime made of a call, as MCP has it. What it says of why, and of the agent's own bound, reaches the model; permits
/// and receipts do not: they are the audit log's.
[[nodiscard]] mcp::ToolAnswer tool_answer(const ToolOutcome& outcome);

/// The same of a call that brought no answer.
[[nodiscard]] mcp::ToolAnswer tool_answer(const ClientError& error);

/// A tool as it is described to an agent.
[[nodiscard]] mcp::Tool mcp_tool(const OfferedTool& tool);

/// The tools of a runtime behind a gateway for one agent, whose chain and proofs the client adds. Who asks over MCP is not
/// looked at: whoever reaches the gateway is the agent. Thread-safe.
class RuntimeHost final : public mcp::ToolHost {
 public:
  /// Told of each call's outcome, and of lists that failed: names and codes, nothing of arguments or results.
  using Log = std::function<void(std::string_view line)>;

  /// \param tools  borrowed: outlives the host
  RuntimeHost(const ToolClient& tools, Log log) : tools_(tools), log_(std::move(log)) {}

  [[nodiscard]] Result<std::vector<mcp::Tool>> list(const mcp::Caller& caller,
                                                    const std::stop_token& cancelled) override;
  [[nodiscard]] mcp::ToolAnswer call(const mcp::Caller& caller, const mcp::ToolCall& call,
                                     mcp::CallProgress& progress) override;

 private:
  const ToolClient& tools_;
  const Log log_;
};

}  // namespace chancery::cli
