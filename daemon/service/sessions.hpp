#pragma once

#include <chrono>

#include "daemon/service/issuing.hpp"

namespace chancery::service {

/// Hands the leaf of a chain on to a key in memory that has been proved: one more token, not delegable further.
/// \return the longer chain; kDepthExhausted, kNothingGranted, and what issue_child() says
[[nodiscard]] Result<api::Session> hand_to_session(Office& office, const CallContext& context,
                                                   const AgentChain& held, const Thumbprint& key,
                                                   std::chrono::seconds lifetime);

}  // namespace chancery::service
