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
  /// What a person is to read of it, if the runtime said so. Without it a call for which a gate is closed has the outcome kTermsRequired,
  /// and nothing is recorded. Borrowed.
  Parking* parking = nullptr;
  bool takes_approval = false;  ///< by the tool's own declaration; with `parking`
};

/// Decides an action as docs/protocol/authorization.md says, and records the decision. What gates are closed for is parked, with the
/// outcome kApprovalRequired, unless it was approved before: then the approval is used up by the permit.
/// \param use   is told whose use of authority it is, once that is proven
/// Of others than calls it is counted what came of an approval that they take.
/// \param call  whose caller may ask for it; nullptr: the caller must have the authority of an enforcement point
/// \return also kOverloaded when too many wait, and what closed_gates() and matter_of_action() say
[[nodiscard]] Result<api::Decision> decide(Office& office, const CallContext& context,
                                           const api::Authorize& message, anomaly::Use& use,
                                           ToolCall* call = nullptr);

/// What came of asking for an approval.
[[nodiscard]] ApprovalRequest came_of(const api::Decision& decision, const Parking& parking) noexcept;

/// Counts a decision.
void tally(Office& office, const api::Decision& decision);

}  // namespace chancery::service
