#pragma once

#include <chancery/api_runtime.hpp>
#include <chancery/result.hpp>
#include <chancery/verify.hpp>

#include "daemon/service/action_budget.hpp"
#include "daemon/service/audit_entry.hpp"
#include "daemon/service/office.hpp"
#include "daemon/store/approval_book.hpp"

namespace chancery::service {

/// How much a person can be expected to read: octets of a call's arguments in JCS.
inline constexpr std::size_t kMostToApprove = 16'384;

/// Whether what a runtime says of a call that takes an approval can be put before a person: its arguments are those that it
/// names the hash of, and each stands among the parameters that the agent's proof is of.
/// \return kInvalidArgument (risk, description, arguments, `release`), kTooLarge
[[nodiscard]] Status check_approval(const api::AskPermit& message);

/// A call that nothing stands against but a person's approval: what is put before that person, and what the log says.
class Parking {
 public:
  /// What verification found.
  struct Asker {
    const VerifiedChain& chain;
    const Thumbprint& key;  ///< of the agent: of a session, the one that opened it
    const ActionBudget& budget;
  };

  /// \param message  checked; borrowed, as all of them
  Parking(const Office& office, const CallContext& context, const api::AskPermit& message,
          const store::Agent& runtime) noexcept
      : office_(office), context_(context), message_(message), runtime_(runtime) {}

  /// Composes the document from what was verified, anew each time. The store's errors.
  [[nodiscard]] Status compose(const Asker& asker);
  /// The same was asked for before, and waits.
  void repeat(store::ParkedCall waiting);

  /// What waits.
  [[nodiscard]] const store::ParkedCall& call() const noexcept { return call_; }
  [[nodiscard]] bool is_repeated() const noexcept { return is_repeated_; }

  // The entries of the log, in this order; who asks is added to the second.
  [[nodiscard]] store::AuditEntry attempt() const;
  [[nodiscard]] AuditFacts request() const;

  /// What whoever asked is told besides the decision.
  [[nodiscard]] api::PendingApproval answer() const;

 private:
  [[nodiscard]] Result<json::Node> subject_of(const Asker& asker) const;

  const Office& office_;
  const CallContext& context_;
  const api::AskPermit& message_;
  const store::Agent& runtime_;
  store::ParkedCall call_;
  bool is_repeated_ = false;
};

}  // namespace chancery::service
