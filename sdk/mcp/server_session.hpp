#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "sdk/mcp/message.hpp"
#include "sdk/mcp/tool_host.hpp"

namespace chancery::mcp {

struct ServerOptions {
  std::string name = "chancery";
  std::string version;
  std::string instructions;              ///< for the model; none when empty
  std::size_t page_size = 64;            ///< tools in one answer to tools/list
  std::size_t calls_at_once = 16;        ///< in one session
  std::chrono::milliseconds list_ttl{};  ///< how long an agent may keep a list of tools (2026-07-28)
  bool logging = false;                  ///< declare `logging`, and pass what hosts log
  MessageLimits limits;
};

/// Where notifications about a running call go, ahead of its answer. One message each, without a line end.
class Outlet {
 public:
  virtual ~Outlet() = default;
  virtual void send(std::string message) = 0;
};

/// What a message comes with.
struct Inbound {
  const Caller& caller;
  ToolHost& host;
  Outlet& outlet;
  /// Asked to stop when whoever sent the message has gone: that cancels a call or list of 2026-07-28, and no other.
  std::stop_token gone = {};
};

/// What goes back. A transport without HTTP ignores the status.
struct Reply {
  std::string text;       ///< one message without a line end; empty when nothing is sent
  unsigned status = 200;  ///< 202 for what has no answer
};

/// The gateway toward one agent: either a session of 2025-11-25, begun by `initialize`, or any number of requests of
/// 2026-07-28, each of which says so in its `_meta`; both may come through one pipe. It offers tools and nothing
/// else, and never sends a request. docs/protocol/mcp.md has what it does of each version.
///
/// Thread-safe: a call or list may run while another thread hands in its cancellation. Reads no clock and no socket.
class ServerSession {
 public:
  /// \param options  borrowed: outlives the session
  explicit ServerSession(const ServerOptions& options) : options_(options) {}

  /// Answers one message. Returns when the call is done, if it is one.
  /// \return the answer or the error; no text for a notification, a response and a request that was cancelled
  [[nodiscard]] Reply receive(std::string text, const Inbound& from);
  [[nodiscard]] Reply receive(const Message& message, const Inbound& from);

  /// Makes a call or list that is to be handed in later known by its id, so that a cancellation that is handed in before finds it. For a
  /// transport that reads one message after the other, and answers some of them on other threads. Nothing for other messages.
  void expect(const Message& message);

  /// Asks every call and list that runs or is expected to end, and begins none any more. For a transport whose peer has gone.
  void cancel_all();

  /// Whether `initialize` has been answered.
  [[nodiscard]] bool is_open() const;

 private:
  class Cancellation;
  class Running;
  class Listing;
  struct Turn;

  void take_notification(const Message& message);
  [[nodiscard]] std::stop_source stop_of(const Id& id) const;
  void stop_expecting(const Message& message);
  [[nodiscard]] Reply receive_request(const Message& message, const Inbound& from);
  [[nodiscard]] Reply answer(const Turn& turn);
  [[nodiscard]] Reply answer_in_session(const Turn& turn);
  [[nodiscard]] Reply answer_stateless(const Turn& turn);
  [[nodiscard]] Reply initialize(const Turn& turn);
  [[nodiscard]] Reply discover(const Turn& turn) const;
  [[nodiscard]] Reply set_level(const Turn& turn);
  [[nodiscard]] Reply list_tools(const Turn& turn);
  [[nodiscard]] Reply call_tool(const Turn& turn);
  [[nodiscard]] Reply run(const Turn& turn, const ToolCall& call);
  [[nodiscard]] Reply reply_to_call(const Turn& turn, const ToolCall& call, const ToolAnswer& answer) const;
  [[nodiscard]] Result<json::Node> result_of(const Turn& turn, const ToolCall& call,
                                             const ToolAnswer& answer) const;
  [[nodiscard]] Reply success(const Turn& turn, json::Node result) const;
  [[nodiscard]] json::Node own_meta(const Turn& turn) const;
  [[nodiscard]] json::Node identity() const;
  [[nodiscard]] json::Node capabilities() const;

  const ServerOptions& options_;
  mutable std::mutex mutex_;
  bool open_ = false;  // under the mutex, as what follows
  bool is_closing_ = false;
  std::optional<LogLevel> level_;                // what the session asked for
  std::map<Id, std::stop_source> running_;       // calls
  std::multimap<Id, std::stop_source> listing_;  // nothing keeps an agent from using an id twice
  std::map<Id, std::stop_source> expected_;      // which nobody has handed in yet, or that are about to run
};

/// The answer to a message that could not be read.
[[nodiscard]] Reply refusal_of(const Fault& fault);

}  // namespace chancery::mcp
