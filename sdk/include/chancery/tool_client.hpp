#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <chancery/client.hpp>
#include <chancery/session.hpp>

namespace chancery {

/// Where a tool runtime is, and how long to wait for it.
struct ToolClientOptions {
  std::string runtime{};  ///< its URL, `https://HOST[:PORT]`: what chains are for, and what proofs are under
  std::string socket{};   ///< path of its Unix socket; empty: it is called at its URL
  std::string
      ca_file{};  ///< PEM; must have issued its certificate. Empty: CHANCERY_CACERT, else the system's
  std::chrono::milliseconds timeout{660'000};  ///< for one call as a whole; a tool may take ten minutes
};

/// A tool that the chain allows, as the runtime describes it.
struct OfferedTool {
  std::string name;
  std::string description;
  std::string scope;
  std::string risk;       ///< "low", "medium" or "high"
  std::string approval;   ///< "none" or "required"
  std::string arguments;  ///< JSON Schema of an object, as JSON
  /// What constraints look at: parameters by name, each with the JSON pointer to the argument that is its value.
  std::map<std::string, std::string> parameters;
  bool answers_mcp = false;  ///< results are those of an MCP tool: `content`, `structuredContent`, `isError`

  friend bool operator==(const OfferedTool&, const OfferedTool&) = default;
};

/// What has become of a call. All texts are the runtime's.
struct ToolOutcome {
  enum class Kind : std::uint8_t {
    kDone,      ///< `result` is the tool's
    kError,     ///< the same of a tool that failed
    kUnknown,   ///< there is no such tool for this chain
    kInvalid,   ///< the arguments are not what the tool takes; nothing was done
    kDenied,    ///< the chain does not allow it; nothing was done
    kApproval,  ///< it waits for an approval; nothing was done
    kFailed,    ///< it could not be done, or nobody knows whether it was: `code` says which
  };
  Kind kind = Kind::kFailed;
  std::string code;            ///< stable, in snake case; empty when it is done
  std::string message;         ///< for people and models
  std::string argument;        ///< JSON pointer to the argument at fault
  std::string findings;        ///< what the schema says of the arguments: a JSON array
  std::string result;          ///< JSON
  bool is_mcp_result = false;  ///< `result` is as OfferedTool::answers_mcp says
  std::string decision;        ///< of a denial: JSON, as `POST /v1/authorize` answers it
  std::string permit;          ///< id, once there was one
  std::string receipt;         ///< JCS
  std::string approval;  ///< of a call that waits: the id of what is to be approved; empty: it cannot be
  std::int64_t expires_at = 0;  ///< until then it waits, seconds since 1970; 0: nobody said
  std::string document;         ///< what is to be approved, JSON
  std::string url;              ///< of the page where it is decided; empty: nobody said
};

/// How to wait for a person.
struct ApprovalWait {
  /// Between two looks: each is the call made again, with a proof of its own. It grows by half each time, to `longest_pause`.
  std::chrono::milliseconds pause{1000};
  std::chrono::milliseconds longest_pause{15'000};
  /// Told once for each request that the call waits for, before the first pause: to say where somebody decides. May be empty.
  std::function<void(const ToolOutcome& waiting)> waiting{};
  /// Whoever can tell when a request is decided (`GET /v1/approvals/{id}?wait=`) returns then, or when `most` is over, and spares looks; an answer
  /// is no decision: the call is made again in any case, and if it waits still after an early return, a pause takes the place of the next watch.
  /// Empty: the pause is spent doing nothing.
  std::function<void(const ToolOutcome& waiting, std::chrono::milliseconds most, const std::stop_token& stop)>
      watch{};
};

/// An agent's tools: lists and calls what a tool runtime has, with the agent's chain and a proof for each request, bound to
/// the tool and its arguments (docs/protocol/runtime.md). The session's key makes the proofs; before it has made as many
/// as a daemon remembers, another session takes its place. No credential of a tool passes through here.
///
/// Thread-safe. An answer is taken up to 4 MiB; redirects are refused.
class ToolClient {
 public:
  /// Opens no connection yet.
  /// \return kInvalidArgument (no session, a URL or a socket that is none), kFileUnreadable, kTlsFailed (`ca_file`)
  [[nodiscard]] static Result<ToolClient> connect(const ToolClientOptions& options,
                                                  std::shared_ptr<const Session> session);
  ~ToolClient();
  ToolClient(ToolClient&&) noexcept;
  ToolClient& operator=(ToolClient&&) noexcept;

  /// The tools that the chain allows now.
  /// \param stop  gives it up: it ends in kTimeout
  /// \return them, or kConnectFailed, kTlsFailed, kTimeout, kBadResponse, kCredentialExpired; what the runtime said
  [[nodiscard]] ClientResult<std::vector<OfferedTool>> list(const std::stop_token& stop = {}) const;

  /// Calls a tool once. A tool that was not listed yet is looked up first.
  /// \param arguments  a JSON object, in any spelling
  /// \param stop  gives the call up: it ends in kTimeout, and may have been made all the same
  /// \return the outcome, a refusal being one too; kMalformed for arguments that are no object; else as list(), and after
  ///         kTimeout or kBadResponse nobody knows whether the call was made
  [[nodiscard]] ClientResult<ToolOutcome> call(std::string_view name, std::string_view arguments,
                                               const std::stop_token& stop = {}) const;

  /// Calls a tool, and if that waits for a person, calls it again until it does not: until it was done, or denied, or nobody decided in
  /// time. The last look is a second before the request expires: a later one would ask people anew. Whoever would rather look by itself makes the same call() again from time to time.
  /// \param stop  gives up waiting too: then the outcome is the last one, which still waits
  /// \return as call(); kApproval when the request expires, `stop` was asked for, or the call waits for another request by now
  [[nodiscard]] ClientResult<ToolOutcome> call_and_wait(std::string_view name, std::string_view arguments,
                                                        const ApprovalWait& wait = {},
                                                        const std::stop_token& stop = {}) const;

  using Done = std::function<void(ClientResult<ToolOutcome> outcome)>;
  /// The same on a thread of its own, which calls back once, whatever has become of it.
  /// \return the thread: its end asks it to stop, and waits for it. The client outlives it, and is not moved meanwhile
  [[nodiscard]] std::jthread call_later(std::string name, std::string arguments, ApprovalWait wait,
                                        Done done) const;

 private:
  struct Impl;
  explicit ToolClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace chancery
