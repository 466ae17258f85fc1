#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <chancery/result.hpp>

#include "sdk/mcp/tool.hpp"

namespace chancery::mcp {

/// Who asks, as the runtime knows it. Opaque here: it is compared, and given to the host.
struct Caller {
  std::string id;
  friend bool operator==(const Caller&, const Caller&) = default;
};

/// The tool was called. Both members are JSON texts; what they may hold is checked before they pass.
struct ToolDone {
  std::string content = "[]";             ///< an array of blocks (content_node)
  std::optional<std::string> structured;  ///< any value, as the tool's output schema says
  bool is_error = false;                  ///< the tool says that it failed; its content says how
};

enum class RefusalKind : std::uint8_t {
  kUnknownTool,  ///< there is no such tool for this caller: an error of the protocol
  kDenied,       ///< authority, a budget or a limit does not allow it
  kBadArgument,  ///< the arguments are not what the tool takes
  kFailed,       ///< it was allowed and could not be done
};

/// The tool was not called, or not to its end. Texts are UTF-8.
struct ToolRefused {
  RefusalKind kind = RefusalKind::kFailed;
  std::string code;     ///< for programs, in snake case
  std::string message;  ///< for the model: what it may do about it
};

/// The call waits until somebody approves of it. It has not been made.
struct ToolPending {
  std::string request;   ///< names the request for approval: 1 to 256 visible ASCII characters
  std::string url;       ///< where somebody decides; empty when there is no such place
  std::string document;  ///< the canonical request document, a JSON text
};

using ToolAnswer = std::variant<ToolDone, ToolRefused, ToolPending>;

/// One call, as the agent wrote it.
struct ToolCall {
  std::string name;       ///< is_tool_name(); nothing else is known of it
  std::string arguments;  ///< the JCS form of an object
  /// The pending request that the agent says it resumes: 1 to 256 visible ASCII characters, written by the agent. The
  /// host finds out whether it is this caller's, and for this tool and these arguments.
  std::optional<std::string> resumes;
};

enum class LogLevel : std::uint8_t {
  kDebug,
  kInfo,
  kNotice,
  kWarning,
  kError,
  kCritical,
  kAlert,
  kEmergency
};

/// What a host may say while a call runs, in UTF-8. Used on the thread of the call only.
class CallProgress {
 public:
  virtual ~CallProgress() = default;
  /// Passes when the agent gave a token for it, and each value is greater than the one before.
  virtual void advance(double done, std::optional<double> total, std::string_view message) = 0;
  /// Passes when the agent asked for messages of this level.
  virtual void log(LogLevel level, std::string_view message) = 0;
  /// Asks the host to end the call: the answer will not be sent.
  [[nodiscard]] virtual std::stop_token cancelled() const = 0;
};

/// What stands behind a gateway. One object may be made for one request, with the chain and proof that came with it.
/// Called by several threads at the same time when the transport has several.
class ToolHost {
 public:
  virtual ~ToolHost() = default;
  /// The tools that this caller's chain allows, in any order; names are unique.
  /// \param cancelled  asks the host to end it: the answer will not be sent
  [[nodiscard]] virtual Result<std::vector<Tool>> list(const Caller& caller,
                                                       const std::stop_token& cancelled) = 0;
  /// Decides and calls. Never throws for what the agent wrote.
  [[nodiscard]] virtual ToolAnswer call(const Caller& caller, const ToolCall& call,
                                        CallProgress& progress) = 0;
};

}  // namespace chancery::mcp
