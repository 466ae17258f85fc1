#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <chancery/api_authorize.hpp>
#include <chancery/result.hpp>

#include "daemon/anomaly/baseline.hpp"
#include "daemon/service/office.hpp"
#include "daemon/service/parking.hpp"
#include "daemon/store/permit_book.hpp"

namespace chancery::service {

/// A call of a tool that is decided about: what it is recorded as, and what is given with a permit.
struct ToolCall {
  const std::string& tool;    ///< borrowed
  store::NewPermit given;     ///< without decision, token and key, which are set here
  store::AuditEntry attempt;  ///< stands in the log before the decision
  /// The tool takes an approval: what would be permitted is parked, and the outcome is kApprovalRequired. Borrowed.
  Parking* parking = nullptr;
};

/// Decides an action as docs/protocol/authorization.md says, and records the decision.
/// \param use   is told whose use of authority it is, once that is proven
/// \param call  whose caller may ask for it; nullptr: the caller must have the authority of an enforcement point
/// \return of a call that takes an approval also kOverloaded when too many wait
[[nodiscard]] Result<api::Decision> decide(Office& office, const CallContext& context,
                                           const api::Authorize& message, anomaly::Use& use,
                                           ToolCall* call = nullptr);

/// Counts a decision.
void tally(Office& office, const api::Decision& decision);

}  // namespace chancery::service
