#pragma once

#include <stop_token>
#include <string>

#include "daemon/runtime/containment/contained_process.hpp"
#include "sdk/mcp/upstream_client.hpp"

namespace chancery::runtime {

/// Messages as lines of a contained process (2025-11-25, Transports, "stdio"), which ends with this value.
class StdioTransport final : public mcp::UpstreamTransport {
 public:
  /// \param stop  ends every wait within a quarter of a second
  StdioTransport(ContainedProcess process, std::stop_token stop)
      : process_(std::move(process)), stop_(std::move(stop)) {}

  /// \return kTimeout, kProcessFailed (it reads no more), kTooLarge, kShuttingDown
  [[nodiscard]] Status send(const mcp::Outgoing& message, mcp::Deadline deadline) override;
  /// \return the same; kProcessFailed when it ended
  [[nodiscard]] Result<std::string> receive(mcp::Deadline deadline) override;

  /// The beginning of what it wrote to standard error: another's text.
  [[nodiscard]] const std::string& complaint() { return process_.lines().errors(); }

 private:
  ContainedProcess process_;
  const std::stop_token stop_;
};

}  // namespace chancery::runtime
