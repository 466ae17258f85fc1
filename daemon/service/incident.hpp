#pragma once

#include <chancery/api_incident.hpp>

#include "daemon/service/office.hpp"

namespace chancery::service {

/// Freezes an agent and ends its tokens, as far as that is asked for; then puts what the store knows of it at one instant into a
/// bundle, has the log record the bundle's hash, and signs the log. What was frozen and ended stays so, whatever fails after.
/// kForbidden, kNotFound, kInvalidArgument (reason), kSpendingHalted, and as AuditDesk::checkpoint().
[[nodiscard]] Result<api::Incident> open_incident(Office& office, const CallContext& context,
                                                  const api::OpenIncident& message);

}  // namespace chancery::service
