#pragma once

#include <string>

#include <unistd.h>

#include <chancery/api_approvals.hpp>
#include <chancery/approval_decision.hpp>
#include <chancery/client.hpp>

#include "sdk/crypto/signing_key.hpp"

namespace chancery::bench {

/// A gate for the daemon's configuration: refunds of more than 100 wait for bob.
inline constexpr const char* kRefundGate =
    "[[gate]]\nname = \"refunds\"\nscopes = [\"payments.refund\"]\nwhen = \"above\"\nparameter = \"amount\"\n"
    "above = 100\napprovers = [\"user:bob@example.org\"]\nwait = \"15m\"\n";

/// A line of `[console]`: the user who runs this asks as a person whom no gate names. A gate lets nobody ask whom it does not know.
inline std::string known_asker() {
  return "approvers = [\"" + std::to_string(::geteuid()) + "=user:operator@example.org\"]\n";
}

/// Bob, with a key in this process, enrolled as the first approver.
class Approver {
 public:
  explicit Approver(const Client& daemon);

  /// What he sends when he has decided about a request, signed.
  /// \param sha256  of its document
  [[nodiscard]] api::DecideApproval decision(const std::string& request, const std::string& sha256,
                                             ApprovalVerdict verdict) const;

 private:
  SigningKey key_;
};

}  // namespace chancery::bench
