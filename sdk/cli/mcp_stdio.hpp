#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <chancery/result.hpp>

#include "sdk/mcp/server_session.hpp"

namespace chancery::cli {

/// The gateway on a pipe, toward one agent: a message a line in either direction, and nothing else. Lists and calls are
/// answered while others run, everything else in the order in which it comes.
class StdioServer final : private mcp::Outlet {
 public:
  /// \param options  borrowed, as the host is: both outlive the server
  /// \param in, out  descriptors; they stay the caller's
  StdioServer(const mcp::ServerOptions& options, mcp::ToolHost& host, int in, int out);
  ~StdioServer() override;
  StdioServer(const StdioServer&) = delete;
  StdioServer& operator=(const StdioServer&) = delete;

  /// Serves until the input ends. What is under way then is answered within a grace, and else given up.
  /// \return kFileUnreadable (input), kFileUnwritable (output, an agent that has gone)
  [[nodiscard]] Status serve(std::chrono::milliseconds grace = std::chrono::seconds(2));

 private:
  using Job = std::function<void()>;

  void send(std::string message) override;
  void take(std::string line);
  void answer(const mcp::Message& message);
  void post(Job job);
  void work();
  void finish(std::chrono::milliseconds grace);

  const mcp::ServerOptions& options_;
  const mcp::Caller caller_{"agent"};
  mcp::ToolHost& host_;
  const int in_;
  const int out_;
  mcp::ServerSession session_;
  std::mutex output_;  // one line after the other
  std::mutex mutex_;   // of what follows
  std::condition_variable changed_;
  bool is_broken_ = false;  // the output
  bool is_over_ = false;
  std::size_t busy_ = 0;  // jobs that wait or run
  std::deque<Job> jobs_;
  std::vector<std::jthread> threads_;  // last: they use what is above
};

}  // namespace chancery::cli
