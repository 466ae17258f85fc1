#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
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

/// Who asks: a process of this machine, or the holder of a chain of authority over this daemon, who has proved
/// to hold it. Who is neither may do nothing that needs authority.
struct Caller {
  std::optional<Process> process;
  std::optional<VerifiedChain> chain;
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

/// Who it is for reservations and idempotency keys: "uid:1000", or "jkt:" and the thumbprint of the key that holds
/// the chain. Another process of the same user is the same caller, so that one that was restarted can settle what
/// it reserved. Empty for nobody.
[[nodiscard]] std::string identity_of(const Caller& caller);

/// kForbidden unless the process is an operator's.
[[nodiscard]] Status require_operator(const Process& process, const OperatorRule& rule);

/// kNotHolder unless all of an agent's selectors match the process. The program is hashed now, last of all, if
/// a selector asks for it.
[[nodiscard]] Status require_match(const Process& process, const api::Selectors& selectors);

}  // namespace chancery::service
