#pragma once

#include <span>
#include <string>

#include <chancery/api_runtime.hpp>
#include <chancery/result.hpp>
#include <chancery/verify.hpp>

#include "daemon/service/action_budget.hpp"
#include "daemon/service/audit_entry.hpp"
#include "daemon/service/gates.hpp"
#include "daemon/service/office.hpp"
#include "daemon/store/approval_book.hpp"

namespace chancery::service {

/// How much a person can be expected to read: octets of arguments in JCS.
inline constexpr std::size_t kMostToApprove = 16'384;

/// Whether what a runtime says of a call can be put before a person: its arguments are those that it names the hash of, and each
/// stands among the parameters that the agent's proof is of.
/// \return kInvalidArgument (risk, description, arguments), kTooLarge
[[nodiscard]] Status check_approval(const api::AskPermit& message);

/// What a person is asked about, besides the action.
struct Matter {
  store::ApprovalKind kind = store::ApprovalKind::kAction;
  std::string tool{};  ///< this and the next three: of a call
  std::string credential{};
  std::string risk{};
  std::string description{};
  std::string arguments{};                ///< JSON of an object
  std::string arguments_sha256{};         ///< of these in JCS
  std::string asked_by{};                 ///< id of the runtime, or the enforcement point as identity_of()
  std::string runtime{};                  ///< SPIFFE ID; of a call
  std::vector<std::string> requesters{};  ///< besides the agent's key: see store::ParkedCall
};

/// \param message  checked
[[nodiscard]] Matter matter_of_call(const Policy& policy, const api::AskPermit& message,
                                    const store::Agent& runtime);

/// \return kInvalidArgument, kTooLarge: parameters that cannot be put before a person
[[nodiscard]] Result<Matter> matter_of_action(const Policy& policy, const CallContext& context,
                                              const api::Authorize& action);

/// Who asks: by a chain of authority over this daemon, in the console, or as a user whom the configuration knows by name. Empty for any
/// other user of the Unix socket.
[[nodiscard]] std::vector<std::string> requesters_of(const Policy& policy, const Caller& caller);

/// Whether a gate can keep whoever asks from deciding. Of a process the user is known, not the person: one that the configuration names
/// no principal for could decide about its own request.
/// \return kForbidden: nobody knows who asks, and the gate keeps the requester from deciding
[[nodiscard]] Status require_known_asker(const Policy& policy, const Caller& caller, const Gate& gate);

/// An operation that nothing stands against but a person's approval: what is put before that person, and what the log says.
class Parking {
 public:
  /// What verification found, and the gates that are closed; borrowed.
  struct Asker {
    const VerifiedChain& chain;
    const Thumbprint& key;  ///< of the agent: of a session, the one that opened it
    const ActionBudget& budget;
    std::span<const ClosedGate> closed;
  };

  /// Office, context and action are borrowed.
  Parking(const Office& office, const CallContext& context, const api::Authorize& action, Matter matter)
      : office_(office), context_(context), action_(action), matter_(std::move(matter)) {}

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
  /// That an approval is used up; who asks is added to it.
  [[nodiscard]] AuditFacts use(const store::ParkedCall& approved) const;

  /// What whoever asked is told besides the decision.
  [[nodiscard]] api::PendingApproval answer() const;

 private:
  [[nodiscard]] Result<json::Node> subject_of(const Asker& asker) const;
  [[nodiscard]] std::string matter_of(const Asker& asker) const;

  const Office& office_;
  const CallContext& context_;
  const api::Authorize& action_;
  const Matter matter_;
  store::ParkedCall call_;
  std::vector<std::string> gates_;  // that are closed, by name
  bool is_repeated_ = false;
};

}  // namespace chancery::service
