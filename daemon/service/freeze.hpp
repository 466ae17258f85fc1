#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <chancery/api_freeze.hpp>
#include <chancery/verify.hpp>

#include "daemon/service/office.hpp"

namespace chancery::service {

// Freezing agents' keys and unfreezing them (docs/operations/incidents.md).

/// From the answer on no key of the agent's signs. kForbidden, kNotFound, kInvalidArgument (reason).
[[nodiscard]] Result<api::AgentFreeze> freeze_agent(Office& office, const CallContext& context,
                                                    std::string_view name, const api::FreezeReason& message);
/// Where a kill switch freezes the agent, what the operator is to sign for it; once that is done, the end of the freeze. kForbidden
/// (also for a signature that the device refuses), kNotFound, kConflict (not frozen, or to be asked again).
[[nodiscard]] Result<api::AgentFreeze> unfreeze_agent(Office& office, const CallContext& context,
                                                      std::string_view name,
                                                      const api::SignedSettings& message);

/// kForbidden.
[[nodiscard]] Result<api::FreezeState> show_freeze(Office& office, const CallContext& context);
/// From the answer on no key of any agent's signs. kForbidden, kInvalidArgument (reason).
[[nodiscard]] Result<api::FreezeState> freeze_all(Office& office, const CallContext& context,
                                                  const api::FreezeReason& message);
/// Ends that, as unfreeze_agent(); whoever is frozen by itself stays so.
[[nodiscard]] Result<api::FreezeState> lift_freeze(Office& office, const CallContext& context,
                                                   const api::SignedSettings& message);
/// Makes kill switches ready, bank by bank: what the operator is to sign for the next, until none is left. kForbidden,
/// kConflict (to be asked again, or there is no kill switch).
[[nodiscard]] Result<api::FreezeState> arm_switches(Office& office, const CallContext& context,
                                                    const api::SignedSettings& message);

/// A frozen agent of this daemon's whose key stands in a chain.
struct FrozenHop {
  int hop = 0;               ///< of the token that its key holds; 0: the first one
  std::string agent;         ///< its name
  bool is_with_all = false;  ///< by the freeze of all, and not by itself
};
/// The first one of a chain, whether it acts or has delegated. Costs nothing while nothing is frozen, and else a look at the store
/// for each token. A freeze that was answered before this is called is seen.
/// \return the store's errors: then nobody knows, and nothing may be permitted
[[nodiscard]] Result<std::optional<FrozenHop>> frozen_in(const Office& office, const VerifiedChain& chain);

/// Says of an agent whether it is frozen, and who would refuse.
[[nodiscard]] Status describe_freeze(const Office& office, const store::Agent& agent, api::Agent& out);

}  // namespace chancery::service
