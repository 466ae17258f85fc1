#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <chancery/bytes.hpp>

#include "daemon/runtime/upstreams/upstream.hpp"
#include "sdk/mcp/pins.hpp"
#include "sdk/mcp/upstream_client.hpp"

namespace chancery::runtime {

/// The least that is taken of one message, whatever `max_response` says: a list of tools must fit in.
inline constexpr std::size_t kLeastMessage = std::size_t{1} << 20;

/// Passes messages on and remembers what the upstream said.
class OverheardTransport final : public mcp::UpstreamTransport {
 public:
  explicit OverheardTransport(std::unique_ptr<mcp::UpstreamTransport> inner) : inner_(std::move(inner)) {}

  [[nodiscard]] Status send(const mcp::Outgoing& message, mcp::Deadline deadline) override;
  [[nodiscard]] Result<std::string> receive(mcp::Deadline deadline) override;

  /// From here on it is told whether a question can have reached the upstream.
  void expect_question() noexcept { was_sent_ = false; }
  [[nodiscard]] bool was_sent() const noexcept { return was_sent_; }
  /// The last message, and those before it, line by line, as far as they are kept.
  [[nodiscard]] const std::string& last() const noexcept { return last_; }
  [[nodiscard]] const std::string& before() const noexcept { return before_; }

 private:
  const std::unique_ptr<mcp::UpstreamTransport> inner_;
  bool was_sent_ = false;
  std::string last_;
  std::string before_;
};

/// Which tool of a server is meant, and how it was described when it was reviewed.
struct McpTool {
  std::string name;
  std::optional<std::string> digest;  ///< hexadecimal; nullopt: nobody reviewed it
  std::uint64_t max_response = 0;     ///< octets of the message that answers a call
};

/// One connection to an MCP server, for one call: agrees on a version, holds the tool's description against the pin, calls it.
class McpConversation {
 public:
  McpConversation(std::unique_ptr<mcp::UpstreamTransport> transport, McpTool tool, bool over_http);

  /// Agrees on a version, lists the tools and looks for this one. \return as UpstreamClient::open() and list_tools()
  [[nodiscard]] Result<Standing> begin(mcp::Deadline deadline);

  /// Calls the tool, after begin() found it as it was reviewed. A server that says meanwhile that its tools are others is looked at
  /// once more before.
  [[nodiscard]] UpstreamOutcome call(const std::string& arguments, mcp::Deadline deadline);

  [[nodiscard]] std::vector<mcp::UpstreamEvent> take_events() { return client_.take_events(); }

  /// All that the server said, as far as it is kept: it may have shown what it was given.
  [[nodiscard]] std::string heard() const { return transport_.before() + transport_.last(); }

 private:
  [[nodiscard]] Result<Standing> stand(mcp::Deadline deadline);
  [[nodiscard]] UpstreamOutcome ended(const Error& error) const;
  [[nodiscard]] UpstreamOutcome answered(mcp::UpstreamAnswer answer) const;

  OverheardTransport transport_;
  mcp::UpstreamClient client_;
  const McpTool tool_;
};

/// The status of HTTP with which a server refused; 0: it was not that.
[[nodiscard]] int refused_status(const Error& error);

/// The outcome of a call that is not made since the tool is gone or another one. \param heard  what the server said
[[nodiscard]] UpstreamOutcome not_as_reviewed(Standing standing, std::string heard);

/// Lists a server's tools, for whoever reviews them.
[[nodiscard]] Result<mcp::UpstreamTools> list_tools_of(mcp::UpstreamTransport& transport, bool over_http,
                                                       mcp::Deadline deadline);

}  // namespace chancery::runtime
