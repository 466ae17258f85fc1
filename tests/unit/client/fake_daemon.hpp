#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <openssl/ssl.h>

#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::testing {

/// One connection to a FakeDaemon, as its script sees it.
class Connection {
 public:
  Connection(int descriptor, SSL* tls) : descriptor_(descriptor), tls_(tls) {}

  /// A whole request: head, empty line, and as much body as Content-Length says. Empty when the peer went
  /// away.
  std::string read_request();
  void write(std::string_view octets);
  /// Ends the connection without TLS's good-bye, as a daemon that is killed does.
  void hang_up();
  /// Returns when the peer closes, or the daemon is destroyed.
  void wait_for_peer();

 private:
  long read_some(char* into, std::size_t size);
  int descriptor_;
  SSL* tls_;
};

/// Answers every connection by a script of the test's, over a Unix socket or TLS on loopback. Destroying it
/// ends all connections.
class FakeDaemon {
 public:
  using Script = std::function<void(Connection&)>;

  static std::unique_ptr<FakeDaemon> on_socket(Script script);
  /// \param name  the DNS name in its certificate, which is its own CA
  static std::unique_ptr<FakeDaemon> on_tls(Script script, const std::string& name = "localhost");
  ~FakeDaemon();

  [[nodiscard]] std::string socket() const { return (folder_.path() / "daemon.sock").string(); }
  [[nodiscard]] std::string address() const { return "https://localhost:" + std::to_string(port_); }
  [[nodiscard]] std::string ca_file() const { return (folder_.path() / "ca.pem").string(); }

 private:
  explicit FakeDaemon(Script script) : script_(std::move(script)) {}
  void listen_on_socket();
  void listen_on_tls(const std::string& name);
  void start();
  void accept_all();
  void serve(int descriptor);

  TemporaryFolder folder_;
  Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::shared_ptr<SSL_CTX> tls_;
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  bool stopping_ = false;
};

/// Reads one request and answers it with these octets.
[[nodiscard]] FakeDaemon::Script answers(std::string octets);

/// An HTTP answer with its length.
[[nodiscard]] std::string http_answer(int status, std::string_view content_type, std::string_view body,
                                      std::string_view more_headers = {});

}  // namespace chancery::testing
