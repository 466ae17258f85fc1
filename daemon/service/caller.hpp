#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/api.hpp>
#include <chancery/result.hpp>
#include <chancery/verify.hpp>

namespace chancery::service {

/// A process at the other end of the Unix socket, as the kernel tells it (docs/security/threat-model.md says
/// what that is worth).
struct Process {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups;
  std::int32_t pid = 0;
  std::uint64_t start_time = 0;  ///< tells the process from a later one of the same pid; 0 when unknown
  std::string unit;              ///< systemd unit, empty when there is none
  std::string executable;        ///< resolved path, empty when it cannot be read
};

/// As whom somebody is in the console.
enum class ConsoleRole : std::uint8_t {
  kOperator,
  kApprover,  ///< a person whom `[console] approvers` names, and no operator
};

/// "operator", "approver".
[[nodiscard]] std::string_view console_role_name(ConsoleRole role) noexcept;

/// A person who signed in to the console: at most what a process of the same user could ask for itself.
struct ConsoleVisitor {
  std::string session;  ///< 32 hexadecimal digits that name the session, and open nothing
  ConsoleRole role = ConsoleRole::kApprover;
  std::uint32_t uid = 0;        ///< whose process asked for the link
  std::string principal{};      ///< an approver's; of an operator empty until a passkey said who it is
  std::string passkey{};        ///< thumbprint of the one that signed in; empty before
  std::string credential_id{};  ///< the same one's, base64url
  bool is_confirmed = false;    ///< that very request, by a fresh assertion of the passkey
};

/// Who asks: a process of this machine, the holder of a chain of authority over this daemon, who has proved
/// to hold it, or somebody in the console. Who is none of these may do nothing that needs authority.
struct Caller {
  std::optional<Process> process;
  std::optional<VerifiedChain> chain;
  std::optional<ConsoleVisitor> visitor{};
};

struct Attempt;

/// What every use case gets besides its message.
struct CallContext {
  Caller caller;
  std::string request_id;
  std::string task;            ///< what the caller says that it works on; empty when it does not
  std::string trace_id;        ///< the caller's, of W3C Trace Context: 32 hexadecimal digits, or empty
  Attempt* attempt = nullptr;  ///< borrowed; nullptr: nobody asks what becomes of it
  std::chrono::sys_seconds now{};
  std::chrono::steady_clock::time_point deadline{};
};

/// Who may act as the operator on the Unix socket.
struct OperatorRule {
  std::vector<std::uint32_t> uids;
  std::optional<std::uint32_t> gid;  ///< as primary or supplementary group
};

/// Who it is for reservations and idempotency keys: "uid:1000", "jkt:" and the thumbprint of the key that holds
/// the chain, or "console:" and the session. Another process of the same user is the same caller, so that one that was restarted can settle what
/// it reserved. Empty for nobody.
[[nodiscard]] std::string identity_of(const Caller& caller);

/// kForbidden unless the process is an operator's.
[[nodiscard]] Status require_operator(const Process& process, const OperatorRule& rule);

/// kNotHolder unless all of an agent's selectors match the process. The program is hashed now, last of all, if
/// a selector asks for it.
[[nodiscard]] Status require_match(const Process& process, const api::Selectors& selectors);

}  // namespace chancery::service
