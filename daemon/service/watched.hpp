#pragma once

#include <chrono>

#include "daemon/service/anomaly_watch.hpp"
#include "daemon/service/office.hpp"

namespace chancery::service {

/// Whether an error is a no to what was asked, rather than something that failed.
[[nodiscard]] bool is_denial(ErrorCode code) noexcept;

/// `https://HOST` of a URI, or nothing.
[[nodiscard]] std::string host_of(std::string_view uri);

/// Says whose a use is.
inline void note_agent(anomaly::Use& use, const store::Agent& agent) {
  use.agent = agent.id;
  use.name = agent.name;
  use.key = agent.key.stored.public_key.thumbprint();
}

/// Runs a use case in which an agent uses its authority, and has the watch see it. `run` says in the use whose it is, or by
/// which key, as soon as that is proven: until then it is nobody's, and is not seen.
template <typename Run>
auto watched(Office& office, const CallContext& context, Run run) {
  const auto begun = std::chrono::steady_clock::now();
  anomaly::Use use;
  auto answer = run(use);
  if (office.watch == nullptr || !use.key) return answer;
  use.took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun);
  if (!answer) use.is_denied = is_denial(answer.error().code);
  office.watch->saw(use, context.now);
  return answer;
}

}  // namespace chancery::service
