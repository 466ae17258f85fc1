#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/runtime/containment/syscall_filter.hpp"
#include "daemon/runtime/outbound/outbound_call.hpp"
#include "daemon/runtime/tools/tool.hpp"
#include "daemon/runtime/upstreams/mcp_conversation.hpp"
#include "daemon/runtime/upstreams/upstream.hpp"

namespace chancery::runtime {

/// A connection to a server, and what the server says to nobody in particular: as Upstream::complaint(), while the transport is there.
struct OpenedTransport {
  std::unique_ptr<mcp::UpstreamTransport> transport;
  std::function<std::string()> complaint;
};

/// Opens a connection to a server. \param credential  nullptr: without one
using OpenTransport =
    std::function<Result<OpenedTransport>(const SecretBytes* credential, const std::stop_token& stop)>;

/// Starts the server of a tool, contained; one that may get a credential only where it has a user namespace of its own. Borrows
/// `tool` and `filter`, which is for its `network`.
/// \param when_weaker  called with the start of one that is not apart from others of the runtime's user
[[nodiscard]] OpenTransport open_stdio(const tools::McpStdioUpstream& server, const SyscallFilter& filter,
                                       std::function<void()> when_weaker);

/// Connects to the server of a tool. Borrows the server and the caller.
[[nodiscard]] OpenTransport open_http(const tools::McpHttpUpstream& server, OutboundCaller& outbound,
                                      std::string ca_file);

/// When an MCP server is looked at before a credential is released to it.
enum class LookAhead : std::uint8_t {
  kSameConnection,     ///< the call takes no credential: the connection that is looked at makes it
  kWithoutCredential,  ///< on a connection of its own, which the server may refuse
  kNever,              ///< it does not start, or does not answer, without one
};

/// A tool of an MCP server. Its description is held against the pin on each connection, and before the permit as `ahead` says. One
/// deadline is for all of it, from the first look on.
class McpUpstream final : public Upstream {
 public:
  /// Borrows the tool.
  McpUpstream(const tools::Tool& tool, OpenTransport open, LookAhead ahead);

  [[nodiscard]] Standing look(const std::stop_token& stop) override;
  [[nodiscard]] UpstreamOutcome call(const tools::PreparedCall& prepared, const SecretBytes* credential,
                                     const std::stop_token& stop) override;
  [[nodiscard]] std::string complaint() const override { return complaint_; }
  [[nodiscard]] std::vector<mcp::UpstreamEvent> take_events() override;
  [[nodiscard]] bool wants_credential() const noexcept override { return wants_credential_; }

 private:
  [[nodiscard]] mcp::Deadline deadline();
  [[nodiscard]] Result<Standing> begin(const SecretBytes* credential, const std::stop_token& stop);
  void end();

  const tools::Tool& tool_;
  const OpenTransport open_;
  const LookAhead ahead_;
  std::optional<mcp::Deadline> deadline_;
  std::unique_ptr<McpConversation> conversation_;
  std::function<std::string()> complains_;  // while there is a conversation
  std::string complaint_;
  std::optional<Error> failure_;  // of the look
  std::vector<mcp::UpstreamEvent> events_;
  bool wants_credential_ = false;
};

}  // namespace chancery::runtime
