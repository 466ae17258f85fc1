#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "daemon/edge/server.hpp"
#include "daemon/rest/http.hpp"
#include "tests/integration/edge/raw_client.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::testing {

/// Answers by path:
///   /echo   the body;  /peer  who asks, one `name=value` a line;  /request  method, target and fields as
///   they were read /wait   blocks until open_gate(), then `waited`; /hold  the same, though it may not;  /device  may block as well, but answers
///   at once /deadline  milliseconds until then /large  32 MiB;  /throw  throws;  /broken  fails with the
///   native code 0x922;  anything else 404
class TestApplication final : public rest::Application {
 public:
  [[nodiscard]] bool may_block(std::string_view method, std::string_view path) const override;
  [[nodiscard]] rest::Response handle(rest::Request& request) override;

  void open_gate();

  /// Blocks until that many requests are inside of /wait and /hold.
  void await_waiting(std::size_t count);

  /// Bodies of all requests to /echo and /device whose handling has begun.
  [[nodiscard]] std::set<std::string> begun() const;

 private:
  rest::Response wait_at_gate();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> begun_;
  std::size_t waiting_ = 0;
  bool gate_open_ = false;
};

enum class Wire { kUnix, kPlain, kTls };
std::ostream& operator<<(std::ostream& out, Wire wire);
inline constexpr std::array kWires{Wire::kUnix, Wire::kPlain, Wire::kTls};

/// A server on all three transports in a folder of its own, with an application behind it.
class Scene {
 public:
  explicit Scene(const edge::Limits& limits = {});
  explicit Scene(edge::ServerOptions options);
  ~Scene();

  [[nodiscard]] RawClient connect(Wire wire) const;

  /// A good request on a connection of its own is answered.
  void check_serves(Wire wire) const;

  /// Polls until so many connections are open.
  void await_connections(std::size_t count) const;

  TestApplication& application() { return application_; }
  edge::Server& server() { return *server_; }
  void stop() { server_.reset(); }

  [[nodiscard]] std::filesystem::path socket() const { return folder_.path() / "edge.sock"; }
  [[nodiscard]] std::filesystem::path authority() const { return folder_.path() / "ca.pem"; }

 private:
  TemporaryFolder folder_;
  TestApplication application_;
  std::optional<edge::Server> server_;
};

/// A request with a body, over HTTP/1.1 and to be kept alive.
[[nodiscard]] std::string post(std::string_view path, std::string_view body);
[[nodiscard]] std::string get(std::string_view path);

/// A problem document with that status and a detail that has `detail` in it, and then the end of the
/// connection.
void check_refused(RawClient& client, int status, std::string_view detail);

/// Resident memory of this process, which is server and client.
[[nodiscard]] std::size_t resident_bytes();

/// It has grown by less than 16 MiB since it was `before`; by six times that where a sanitizer keeps shadows
/// of it.
void check_memory_since(std::size_t before);

}  // namespace chancery::testing
