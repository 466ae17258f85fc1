#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <chancery/result.hpp>

#include "daemon/runtime/containment/syscall_filter.hpp"
#include "daemon/runtime/outbound/outbound_call.hpp"
#include "daemon/runtime/tools/tool.hpp"
#include "daemon/runtime/upstreams/mcp_upstream.hpp"
#include "daemon/runtime/upstreams/upstream.hpp"

namespace chancery::runtime {

/// Makes upstreams of declarations, and remembers of the servers behind them what the next call should know. Thread-safe.
class Upstreams {
 public:
  /// \param outbound  borrowed
  /// \param ca_file   whom upstreams must be certified by; empty: the system's authorities
  /// \param when_weaker  called once, when the first server is started without a user namespace; may be empty
  Upstreams(OutboundCaller& outbound, std::string ca_file, std::function<void()> when_weaker = {})
      : outbound_(outbound), ca_file_(std::move(ca_file)), when_weaker_(std::move(when_weaker)) {}

  /// The upstream of one call. \param tool  outlives it, as this object does
  /// \return kProcessFailed when there is no filter to contain it with
  [[nodiscard]] Result<std::unique_ptr<Upstream>> make(const tools::Tool& tool);

  /// A connection to an MCP server without a credential or, for a review, with the operator's.
  [[nodiscard]] Result<OpenTransport> open(const tools::Tool& tool);

  /// Before a permit is asked for. What it finds stays known.
  [[nodiscard]] Standing look(const tools::Tool& tool, Upstream& upstream, const std::stop_token& stop);

  /// Has no agent get the tool any more. A tool that describes itself otherwise than it was reviewed stays away also when it is as it
  /// was again: whoever shows one thing and does another may change back and forth. It is until the declaration names another
  /// digest, or the runtime starts anew.
  void disable(const tools::Tool& tool);
  [[nodiscard]] bool is_disabled(const tools::Tool& tool) const;

 private:
  using Known = std::set<std::pair<std::string, std::string>>;  // names and digests

  [[nodiscard]] Result<const SyscallFilter*> filter_for(bool network);
  [[nodiscard]] LookAhead look_ahead(const tools::Tool& tool) const;

  OutboundCaller& outbound_;
  const std::string ca_file_;
  const std::function<void()> when_weaker_;
  std::atomic<bool> has_told_weaker_{false};
  mutable std::mutex mutex_;  // of the next
  std::optional<SyscallFilter> with_network_;
  std::optional<SyscallFilter> without_network_;
  Known disabled_;
  Known credential_first_;  // they answer nobody who has none
};

}  // namespace chancery::runtime
