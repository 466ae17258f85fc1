#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

#include <chancery/api_approvals.hpp>
#include <chancery/result.hpp>

#include "daemon/service/office.hpp"

namespace chancery::service {

// Calls of tools that wait for a person (docs/protocol/approvals.md). They are parked by decide(); nobody can approve one yet.

/// For the operator. kForbidden, kInvalidArgument (state), kNotFound (`after`).
[[nodiscard]] Result<api::ApprovalPage> list_approvals(Office& office, const CallContext& context,
                                                       const api::ApprovalQuery& query);

/// With its document, while it waits; for the operator, or the agent by whose key it was asked for. kForbidden for anybody
/// else, whether there is one or not; kNotFound.
[[nodiscard]] Result<api::Approval> show_approval(Office& office, const CallContext& context,
                                                  std::string_view id);

/// Ends one that is pending, for the same, also when its document is damaged. kForbidden, kNotFound, kConflict.
[[nodiscard]] Result<api::Approval> cancel_approval(Office& office, const CallContext& context,
                                                    std::string_view id);

/// Ends one whose time is over. kNotFound, kConflict.
[[nodiscard]] Result<std::uint64_t> expire_approval(Office& office, const store::ParkedCall& call,
                                                    std::chrono::sys_seconds now);

/// Ends one that was approved and not used in time. kNotFound, kConflict.
[[nodiscard]] Result<std::uint64_t> lapse_approval(Office& office, const store::ParkedCall& call,
                                                   std::chrono::sys_seconds now);

/// Ends calls that have waited long enough, and forgets former ones. One thread at a time.
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

}  // namespace chancery::service
