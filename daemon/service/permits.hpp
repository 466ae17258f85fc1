#pragma once

#include <chrono>
#include <string_view>
#include <utility>

#include <chancery/api_runtime.hpp>
#include <chancery/result.hpp>

#include "daemon/service/office.hpp"

namespace chancery::service {

// What tool runtimes ask for (docs/protocol/runtime.md). The caller is an agent that the configuration names as a runtime,
// else kForbidden.

/// How long a permit releases its credential.
inline constexpr std::chrono::seconds kPermitLife{60};
/// How many receipts one signature is over.
inline constexpr std::size_t kMostReceipts = 64;

/// Decides about a call of a tool, as authorize() decides about an action, and gives a permit with what is permitted.
/// \return kInvalidArgument (tool, hash, `uri` and `audience` that are not this tool's), what authorize() says, and what
///         Vault::release() says of a credential that is to come with it: then nothing is decided
[[nodiscard]] Result<api::Permit> ask_permit(Office& office, const CallContext& context,
                                             const api::AskPermit& message);

/// Releases the credential of a permit, once. kNotFound, kConflict (used, ended or expired), and what Vault::release() says.
[[nodiscard]] Result<api::ReleasedCredential> use_permit(Office& office, const CallContext& context,
                                                         std::string_view id);

/// Records what came of a call. kNotFound, kConflict when that was reported before.
[[nodiscard]] Result<api::Receipt> report_result(Office& office, const CallContext& context,
                                                 std::string_view id, const api::CallResult& message);

/// Has the runtime's own key sign receipts. kNotFound, kInvalidArgument (how many; one whose call was not reported).
[[nodiscard]] Result<api::SignedReceipts> sign_receipts(Office& office, const CallContext& context,
                                                        const api::SignReceipts& message);

/// Records that a runtime refused a call by itself. kInvalidArgument (tool, reason, token).
[[nodiscard]] Result<api::RecordedRefusal> report_refusal(Office& office, const CallContext& context,
                                                          const api::ToolRefusal& message);

/// Ends permits of which no runtime has reported what came of them, so that this stands in the log, and forgets former ones.
/// One thread at a time.
class PermitKeeper {
 public:
  PermitKeeper(Office& office, Spending::Complaint complain)
      : office_(office), complain_(std::move(complain)) {}

  /// One round.
  void tick(std::chrono::sys_seconds now);

 private:
  Office& office_;
  const Spending::Complaint complain_;
  std::chrono::sys_seconds next_pruning_{};
};

}  // namespace chancery::service
