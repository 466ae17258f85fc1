#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "sdk/mcp/http_endpoint.hpp"

namespace chancery::tests {

/// The gateway's endpoint behind a socket of 127.0.0.1, at `/mcp`: a thread for each connection. Tests only: it has no
/// limits of its own.
class LoopbackServer {
 public:
  /// \param page_size  tools in one page of the list
  LoopbackServer(mcp::ToolHost& host, std::size_t page_size);
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  [[nodiscard]] std::string url() const;

 private:
  using Socket = boost::asio::ip::tcp::socket;
  struct Connection {
    explicit Connection(Socket accepted) : socket(std::move(accepted)) {}
    Socket socket;
    std::thread thread;
  };

  void accept();
  void serve(Socket& socket);

  mcp::ToolHost& host_;
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  mcp::HttpEndpoint endpoint_;
  std::mutex mutex_;
  std::list<Connection> connections_;  // under the mutex
  std::thread thread_;
};

}  // namespace chancery::tests
