#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <chancery/client.hpp>
#include <chancery/runtime_client.hpp>

#include "daemon/runtime/issued_secrets.hpp"
#include "daemon/runtime/outbound/outbound_call.hpp"
#include "daemon/runtime/receipts.hpp"
#include "daemon/runtime/tools/prepare.hpp"
#include "daemon/runtime/tools/tool.hpp"
#include "daemon/runtime/upstreams/upstreams.hpp"
#include "daemon/telemetry/log.hpp"
#include "sdk/redaction/known_secrets.hpp"
#include "sdk/redaction/secret_finder.hpp"

namespace chancery::runtime {

/// What an agent shows.
struct Presentation {
  std::vector<std::string> chain;  ///< compact tokens, root first
  std::string proof;
};

/// What has become of a call, whatever protocol it came by.
struct CallAnswer {
  enum class Kind : std::uint8_t {
    kDone,      ///< `result` is the upstream's, as far as the declaration lets it through
    kError,     ///< the same of an upstream that answered with an error
    kUnknown,   ///< no such tool
    kInvalid,   ///< the arguments are not what the tool takes; nothing was decided
    kDenied,    ///< the chain does not allow it; `decision` says why
    kApproval,  ///< it takes an approval; nothing was done
    kFailed,    ///< permitted, and could not be done
  };
  Kind kind = Kind::kFailed;
  std::string code;  ///< stable, in snake case
  std::string
      message;  ///< for people and models: what to do; holds nothing of the arguments or of the upstream
  std::string argument;                     ///< JSON pointer to the argument at fault
  std::vector<schema::Finding> findings{};  ///< of the schema
  std::string result{};                     ///< JSON
  std::string decision{};                   ///< of a denial, JSON as `POST /v1/authorize` answers it
  std::string approval{};                   ///< of one that takes an approval: the id under which it waits
  std::int64_t expires_at = 0;              ///< until when it does
  std::string document{};                   ///< what is to be approved, JCS
  std::string url{};                        ///< of the page where it is decided
  std::string permit{};                     ///< id of the permit, once there was one
  std::string receipt{};                    ///< JCS
  std::map<std::string, std::int64_t>
      redactions{};  ///< what was taken out of it, or found in arguments, by kind
};

/// The scopes that a chain grants at a server, to judge by what the daemon's verification says of it: none unless it is valid, and
/// meant for that server. Whatever bounds it has are for each call.
[[nodiscard]] std::vector<std::string> scopes_at(std::string_view url, const api::Verification& verification);

struct CallDeskOptions {
  std::string url;      ///< the runtime's own, under which its tools are
  std::string ca_file;  ///< for upstreams; empty: the system's authorities
};

/// Calls tools for agents: checks the arguments, has the daemon decide and release the credential, makes the call, lets through what
/// the declaration allows, takes secrets out of it, and has the result recorded before anybody is answered. Thread-safe.
class CallDesk {
 public:
  /// Everything is borrowed and outlives the desk.
  struct Parts {
    const RuntimeClient& daemon;
    const Client& verifier;  ///< the same daemon
    OutboundCaller& outbound;
    Receipts& receipts;
    const telemetry::Log& log;
  };

  CallDesk(Parts parts, CallDeskOptions options);

  /// \param tool       nullptr: there is no such tool
  /// \param name       as the agent wrote it
  /// \param arguments  a JSON text of an object
  [[nodiscard]] CallAnswer call(const tools::Tool* tool, std::string_view name, const Presentation& agent,
                                std::string arguments, const std::stop_token& stop = {});

  /// Whether agents may have the tool: not one of an MCP server that nobody reviewed, or that changed since.
  [[nodiscard]] bool is_served(const tools::Tool& tool) const {
    return tools::may_be_served(tool) && !upstreams_.is_disabled(tool);
  }

 private:
  class Call;

  /// Whether a chain grants a tool's scope here. Whoever has none is told nothing of the tool, or of what is found in arguments.
  [[nodiscard]] bool is_granted(const tools::Tool& tool, const Presentation& agent) const;

  /// What a chain grants here; nothing when it does not count.
  [[nodiscard]] std::vector<std::string> granted_scopes(const Presentation& agent) const;

  /// Has a credential looked for in what upstreams answer, from now on.
  void know(const api::ReleasedCredential& credential);
  Status know_kept(const api::ReleasedCredential& credential);

  const Parts parts_;
  const CallDeskOptions options_;
  Upstreams upstreams_;
  const std::shared_ptr<redaction::KnownSecrets> known_;  // what was released to this process
  const redaction::SecretFinder finder_;
  IssuedSecrets issued_;
  std::mutex mutex_;                                     // of the next
  std::set<std::pair<std::string, Sha256Digest>> kept_;  // values of records, by name and hash
};

}  // namespace chancery::runtime
