#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <chancery/result.hpp>

#include "sdk/mcp/message.hpp"
#include "sdk/mcp/tool_host.hpp"

namespace chancery::mcp {

using Deadline = std::chrono::steady_clock::time_point;

/// One message on its way to an upstream.
struct Outgoing {
  std::string text;  ///< without a line end
  /// What a transport over HTTP sends with it. `Mcp-Session-Id` is the transport's own: it sees the answers' headers.
  std::vector<std::pair<std::string, std::string>> headers;
  bool has_answer = false;  ///< whether something is received for it
};

/// How messages get there and back: lines of a process, or HTTP. It reads the clock, bounds what it holds, and does
/// not follow where an upstream sends it.
class UpstreamTransport {
 public:
  virtual ~UpstreamTransport() = default;
  /// \return kTimeout, kConnectFailed, or kRequestRefused for an HTTP answer that is an error without a message
  [[nodiscard]] virtual Status send(const Outgoing& message, Deadline deadline) = 0;
  /// The next message of the upstream, without a line end. \return kTimeout, kConnectFailed, kRequestRefused as above,
  /// or kTooLarge for one that is longer than the transport takes
  [[nodiscard]] virtual Result<std::string> receive(Deadline deadline) = 0;
};

enum class UpstreamVersion : std::uint8_t {
  kEither,     ///< ask for 2026-07-28 first, and initialize when that is not known there
  kStateless,  ///< 2026-07-28 alone
  kSession,    ///< 2025-11-25 alone
};

struct UpstreamOptions {
  std::string name = "chancery";
  std::string version;
  UpstreamVersion speaks = UpstreamVersion::kEither;
  bool over_http = false;      ///< refuse tools that have arguments mirrored into headers
  std::size_t messages = 256;  ///< taken while one answer is waited for
  std::size_t pages = 32;      ///< of one list
  std::size_t tools = 512;     ///< in one list
  MessageLimits limits{.max_octets = std::size_t{4} << 20, .json = {.max_depth = 64}};
};

/// What an upstream did besides answering. None of it has an effect of its own.
enum class UpstreamEvent : std::uint8_t {
  kToolsChanged,  ///< it says that its tools are others now: nothing is called until they were listed again
  kAskedForSampling,  ///< it wanted a model's answer: refused
  kAskedForInput,     ///< it wanted somebody's answer (elicitation, input_required): refused
  kAskedForRoots,     ///< it wanted to know folders: refused
  kAskedForOther,     ///< it sent another request: refused
  kStrayAnswer,       ///< it answered what was not asked, or asked no more, or twice
};

struct RejectedTool {
  std::string name;  ///< printable
  const char* why = "";
};

struct UpstreamTools {
  std::vector<Tool> usable;
  std::vector<RejectedTool> rejected;
};

/// The upstream's own refusal of a call.
struct UpstreamError {
  std::int64_t code = 0;
  std::string
      message;  ///< whole, since what is cut cannot be looked through for secrets; the upstream's words, not to be trusted
};

using UpstreamAnswer = std::variant<ToolDone, UpstreamError>;

/// The gateway toward one upstream MCP server: begin, list tools, call one. It declares no capability, so an upstream
/// has nothing to ask for; what it asks nevertheless is refused and reported. Every wait is bounded by the deadline,
/// the number of messages and their sizes. An upstream that breaks the protocol is not spoken with again.
///
/// One exchange at a time: not thread-safe.
class UpstreamClient {
 public:
  /// \param transport  borrowed: outlives the client
  UpstreamClient(UpstreamTransport& transport, UpstreamOptions options);

  /// Agrees on a version. \return the transport's errors; kBadResponse when there is no version that both speak, or
  /// the upstream offers no tools; kTooLarge for more messages or longer ones than may be
  [[nodiscard]] Status open(Deadline deadline);

  /// All pages of its tools. \return as open(); kTooLarge for more pages or tools than may be
  [[nodiscard]] Result<UpstreamTools> list_tools(Deadline deadline);

  /// Calls a tool that the last list has. \param arguments  a JSON text of an object
  /// \return as open(); kNotFound when it is not in the list; kConflict when the list is no longer the upstream's
  [[nodiscard]] Result<UpstreamAnswer> call(const std::string& name, const std::string& arguments,
                                            Deadline deadline);

  /// What happened since the last look, at most 64.
  [[nodiscard]] std::vector<UpstreamEvent> take_events();
  [[nodiscard]] bool is_stateless() const noexcept { return stateless_; }

 private:
  [[nodiscard]] Status begin_session(Deadline deadline);
  [[nodiscard]] Result<bool> discover(Deadline deadline);
  [[nodiscard]] Result<Message> ask(std::string_view method, json::Node params, std::string_view name,
                                    Deadline deadline);
  [[nodiscard]] Result<Message> wait_for(const Id& id, Deadline deadline);
  [[nodiscard]] Result<std::string> next(const Id& id, Deadline deadline);
  [[nodiscard]] Status tell(std::string_view method, std::optional<json::Node> params, Deadline deadline);
  [[nodiscard]] Status refuse(const Message& request, Deadline deadline);
  [[nodiscard]] Outgoing outgoing(std::string text, std::string_view method, std::string_view name) const;
  void take_notification(const Message& message);
  void note(UpstreamEvent event);
  [[nodiscard]] Error end(const Error& error);

  UpstreamTransport& transport_;
  const UpstreamOptions options_;
  std::int64_t last_id_ = 0;
  bool open_ = false;
  bool stateless_ = false;
  bool broken_ = false;
  bool stale_ = true;               // the list is not the upstream's, as far as we know
  std::set<std::string> callable_;  // of the last list
  std::vector<UpstreamEvent> events_;
};

}  // namespace chancery::mcp
