#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace chancery::bench {

/// A server process on a core of its own; ended with the object.
class ServerProcess {
 public:
  explicit ServerProcess(const std::function<void()>& body);
  ~ServerProcess() { stop(); }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  void stop();
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

/// Moves this process to the core that the servers do not have.
void pin_to_client_core();

/// Waits until somebody listens on a Unix socket.
void await(const std::filesystem::path& socket_path);

/// What the bare server makes of a request's body.
using BareAnswer = std::function<std::string(std::string)>;
/// Boost.Beast on a Unix socket, one thread, nothing else. Does not return.
void serve_bare(const std::filesystem::path& socket_path, const BareAnswer& answer);

/// What each answer must be.
struct Expected {
  int status = 200;
  std::string_view text;
};

struct LoadResult {
  double requests_per_second = 0;
  double p50_us = 0;
  double p99_us = 0;
};

/// Connections that stay open, each with one request under way.
inline constexpr std::size_t kConnections = 16;

/// Sends requests in turn, on one thread and kConnections connections, until `count` were answered.
[[nodiscard]] LoadResult run_load(const std::filesystem::path& socket_path,
                                  const std::vector<std::string>& requests, std::size_t count,
                                  const Expected& expected);

/// One answer, head and body.
[[nodiscard]] std::string fetch(const std::filesystem::path& socket_path, const std::string& request);

}  // namespace chancery::bench
