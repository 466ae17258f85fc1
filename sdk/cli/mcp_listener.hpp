#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <chancery/result.hpp>

#include "sdk/mcp/http_endpoint.hpp"

namespace chancery::cli {

struct ListenerOptions {
  std::string
      address;  ///< `127.0.0.1:PORT`, `[::1]:PORT` or `localhost:PORT`, which is the first; port 0: any
  mcp::HttpOptions http;              ///< its port is found out
  std::size_t connections = 32;       ///< at a time; who comes then waits
  std::chrono::seconds patience{60};  ///< for a request to begin, to come in, and for an answer to be taken
};

/// The gateway on a loopback port, at `/mcp`: docs/protocol/mcp.md, "Streamable HTTP". Serves processes of its own user,
/// and root's, whoever else can reach the port. What is sent as Authorization is not looked at.
class McpListener {
 public:
  /// Listens from now on, on threads of its own.
  /// \param host  borrowed: outlives the listener
  /// \return kInvalidArgument (an address that is none, or not of loopback), kConnectFailed (the port is taken, or may not
  ///         be used)
  [[nodiscard]] static Result<McpListener> start(ListenerOptions options, mcp::ToolHost& host);

  /// Gives up the calls that are under way, and waits for their end.
  ~McpListener();
  McpListener(McpListener&&) noexcept;
  McpListener& operator=(McpListener&&) noexcept;

  /// `http://127.0.0.1:PORT/mcp`
  [[nodiscard]] std::string url() const;

 private:
  struct Impl;
  explicit McpListener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace chancery::cli
