#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace chancery::tests {

/// Passes octets between clients and a server on loopback, until it is told to lose an answer: then it hands on what the client
/// sends, and ends the connection instead of what the server says once it has acted.
class LosingProxy {
 public:
  explicit LosingProxy(std::uint16_t server_port);
  ~LosingProxy();
  LosingProxy(const LosingProxy&) = delete;
  LosingProxy& operator=(const LosingProxy&) = delete;

  [[nodiscard]] std::string origin() const { return "https://localhost:" + std::to_string(port_); }

  /// From now on nothing of a server that `has_acted` passes. An empty function: everything passes again.
  void lose_once(std::function<bool()> has_acted);
  [[nodiscard]] std::size_t lost() const { return lost_.load(); }

 private:
  void accept_all();
  void pass(int client);
  [[nodiscard]] bool is_to_lose();

  const std::uint16_t server_port_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::mutex mutex_;
  std::function<bool()> has_acted_;
  std::atomic<std::size_t> lost_ = 0;
  std::atomic<bool> stopping_ = false;
  std::vector<std::thread> threads_;  // of connections; the acceptor's until it has ended
  std::thread acceptor_;
};

}  // namespace chancery::tests
