#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

#include <chancery/api_approvals.hpp>
#include <chancery/result.hpp>

#include "daemon/service/audit_entry.hpp"
#include "daemon/service/office.hpp"

namespace chancery::service {

// What waits for a person, and what becomes of it (docs/protocol/approvals.md). Requests are parked, and approvals used, by
// decide().

/// How far the clocks of approvers may be from the daemon's.
inline constexpr std::chrono::seconds kClockLeeway{60};
/// The longest that anybody waits for a decision in one request.
inline constexpr std::chrono::seconds kLongestWait{30};

/// For the operator. kForbidden, kInvalidArgument (state), kNotFound (`after`).
[[nodiscard]] Result<api::ApprovalPage> list_approvals(Office& office, const CallContext& context,
                                                       const api::ApprovalQuery& query);

/// With its document, while it is pending or approved, and with what was decided; for the operator, who is told the last one like
/// it that was decided too, or the agent by whose key it was asked for. kForbidden for anybody else, whether there is one or not; kNotFound.
/// \param wait  answers as soon as it is not pending any more, or after that long, at most kLongestWait; at once when too many
///              wait
[[nodiscard]] Result<api::Approval> show_approval(Office& office, const CallContext& context,
                                                  std::string_view id, std::chrono::seconds wait = {});

/// Counts a person's decision. Whoever brings it: the signature is what counts. It must be about this request and this very
/// document, by an active key of the person whom it names, made since the request and not in the future.
/// \return kNotFound; kMalformed and the like for the JWS; kInvalidArgument (another request or document, times, a
///         signature for a TPM), kSignatureInvalid, kProofRefused (a passkey's assertion), kForbidden (key, gates, separation), kConflict
///         (nothing waits any more; the person has decided); kSpendingHalted in an older copy of the store
[[nodiscard]] Result<api::DecidedApproval> decide_approval(Office& office, const CallContext& context,
                                                           std::string_view id,
                                                           const api::DecideApproval& message);

/// Ends one that is pending, for the operator or the agent that asked, also when its document is damaged. kForbidden, kNotFound,
/// kConflict.
[[nodiscard]] Result<api::Approval> cancel_approval(Office& office, const CallContext& context,
                                                    std::string_view id);

/// Ends one whose time is over. kNotFound, kConflict.
[[nodiscard]] Result<std::uint64_t> expire_approval(Office& office, const store::ParkedCall& call,
                                                    std::chrono::sys_seconds now);

/// Ends one that was approved and not used in time. kNotFound, kConflict.
[[nodiscard]] Result<std::uint64_t> lapse_approval(Office& office, const store::ParkedCall& call,
                                                   std::chrono::sys_seconds now);

/// The request that is open for a subject, without its document. One whose time is over is ended, and makes room.
[[nodiscard]] Result<std::optional<store::ParkedCall>> open_request(Office& office, std::string_view subject,
                                                                    std::chrono::sys_seconds now);

/// What every entry about a request has.
[[nodiscard]] AuditFacts approval_facts(const store::ParkedCall& call);

/// kTpmEnforced or kSoftwareEnforced.
[[nodiscard]] std::string_view enforcement_of(const store::ParkedCall& call) noexcept;

/// Ends requests whose time is over, and forgets former ones. One thread at a time.
class ApprovalKeeper {
 public:
  ApprovalKeeper(Office& office, Spending::Complaint complain)
      : office_(office), complain_(std::move(complain)) {}

  /// One round.
  void tick(std::chrono::sys_seconds now);

 private:
  void end_overdue(std::chrono::sys_seconds now);
  void forget(std::chrono::sys_seconds now);

  Office& office_;
  const Spending::Complaint complain_;
  std::chrono::sys_seconds next_pruning_{};
};

/// The console's page where a person decides about a request; empty where no console is served.
[[nodiscard]] std::string approval_page(const Office& office, std::string_view id);

}  // namespace chancery::service
