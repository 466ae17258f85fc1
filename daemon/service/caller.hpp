#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <chancery/api.hpp>
#include <chancery/result.hpp>

namespace chancery::service {

/// The process that asks, as the kernel tells it (docs/security/threat-model.md says what that is worth).
struct Caller {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups;
  std::int32_t pid = 0;
  std::uint64_t start_time = 0;  ///< tells the process from a later one of the same pid; 0 when unknown
  std::string unit;              ///< systemd unit, empty when there is none
  std::string executable;        ///< resolved path, empty when it cannot be read
};

/// What every use case gets besides its message.
struct CallContext {
  Caller caller;
  std::string request_id;
  std::chrono::sys_seconds now{};
  std::chrono::steady_clock::time_point deadline{};
};

/// Who may act as the operator on the Unix socket.
struct OperatorRule {
  std::vector<std::uint32_t> uids;
  std::optional<std::uint32_t> gid;  ///< as primary or supplementary group
};

/// kForbidden unless the caller is an operator.
[[nodiscard]] Status require_operator(const Caller& caller, const OperatorRule& rule);

/// kNotHolder unless all of an agent's selectors match the caller. The program is hashed now, last
/// of all, if a selector asks for it.
[[nodiscard]] Status require_match(const Caller& caller, const api::Selectors& selectors);

}  // namespace chancery::service
