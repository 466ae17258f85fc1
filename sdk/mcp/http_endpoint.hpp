#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "sdk/mcp/http_rules.hpp"
#include "sdk/mcp/server_session.hpp"

namespace chancery::mcp {

struct HttpOptions {
  HttpRules rules;
  ServerOptions server;
  std::size_t sessions = 1024;  ///< in all
  std::size_t sessions_of_caller =
      32;                           ///< of one caller: a further one ends the one that was idle for longest
  std::chrono::seconds idle{1800};  ///< how long a session lives without a message
};

/// The gateway as an endpoint of Streamable HTTP, without the socket: requests in, answers out. It has the sessions of
/// 2025-11-25; a session's id is 128 random bits, and good for the caller alone to whom it was given.
/// docs/protocol/mcp.md has each status. Thread-safe.
class HttpEndpoint {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  /// Fills octets with random ones, as random_bytes() does.
  using Random = std::function<Status(std::span<std::uint8_t>)>;

  HttpEndpoint(HttpOptions options, Random random);

  /// Answers a request; returns when the call is done, if it is one. What the outlet of `from` was given in the
  /// meantime goes out first, as events; the answer's body is then the last of them.
  /// \return the answer; one without a body and of type text/event-stream for a request that was cancelled
  [[nodiscard]] HttpAnswer handle(const HttpRequest& request, const Inbound& from, Instant now);

  /// Asks every call of a session to end. For a transport that ends; those of 2026-07-28 end with their connections.
  void cancel_all();

  /// For tests and metrics.
  [[nodiscard]] std::size_t session_count() const;

 private:
  struct Entry {
    Entry(const Caller& owner, const ServerOptions& options, Instant now)
        : caller(owner), session(options), used(now) {}
    const Caller caller;
    ServerSession session;
    Instant used;  // under the endpoint's mutex
  };
  using Held = std::shared_ptr<Entry>;

  [[nodiscard]] HttpAnswer post(const HttpRequest& request, const Inbound& from, Instant now);
  [[nodiscard]] HttpAnswer open_session(const Message& message, const Inbound& from, Instant now);
  [[nodiscard]] HttpAnswer end_session(const HttpRequest& request, const Caller& caller, Instant now);
  [[nodiscard]] Result<Held, HttpAnswer> find(const HttpRequest& request, const Caller& caller, Instant now);
  [[nodiscard]] Result<void, HttpAnswer> keep(const std::string& id, const Held& entry, Instant now);

  const HttpOptions options_;
  const Random random_;
  mutable std::mutex mutex_;
  std::map<std::string, Held, std::less<>> sessions_;
};

}  // namespace chancery::mcp
