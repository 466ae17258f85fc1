#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include <chancery/api_approvals.hpp>
#include <chancery/client.hpp>

namespace chancery {

/// The calls around what waits for a person (docs/protocol/approvals.md), and who decides it; everything that Client says of its own
/// holds for them. Borrows the client, which must outlive it but may be moved.
class ApprovalClient {
 public:
  explicit ApprovalClient(const Client& daemon) noexcept : impl_(daemon.impl_.get()) {}

  ClientResult<api::ApprovalPage> approvals(const api::ApprovalQuery& query = {}) const;
  /// With its document, while it is pending or approved, and with what was decided about it.
  ClientResult<api::Approval> approval(std::string_view id) const;
  /// The same, as soon as it is not pending any more, or after `patience`. The daemon answers at once when too many wait: whoever goes
  /// on waiting asks again, and not more often than once a second.
  /// \param patience  at most 30 seconds, and no more than the client's time-out leaves
  /// \param stop      gives it up: kTimeout
  ClientResult<api::Approval> wait(std::string_view id, std::chrono::seconds patience,
                                   const std::stop_token& stop = {}) const;
  /// Waits as often as it takes until it is not pending any more. Whoever asked asks again then, with a fresh proof: that it was approved
  /// does nothing by itself.
  /// \param stop  gives it up: kTimeout
  ClientResult<api::Approval> wait_until_decided(std::string_view id, const std::stop_token& stop = {}) const;

  using Told = std::function<void(ClientResult<api::Approval> approval)>;
  /// The same on a thread of its own, which calls back once, whatever has become of it.
  /// \return the thread: its end asks it to stop, and waits for it. The client outlives it
  [[nodiscard]] std::jthread tell_when_decided(std::string id, Told told) const;

  /// Ends one that is pending: nobody can approve it any more. Without its document, which is forgotten by that.
  ClientResult<api::Approval> cancel(std::string_view id) const;

  /// Sends a decision. Anybody may: the signature is what counts.
  ClientResult<api::DecidedApproval> decide(std::string_view id, const api::DecideApproval& message) const;

  ClientResult<api::ApproverList> approvers() const;
  /// With keys that have ended too.
  ClientResult<api::Approver> approver(std::string_view principal) const;
  ClientResult<api::Approver> enroll(const api::EnrollApprover& message) const;
  /// \param jkt  thumbprint
  /// \return whose key it was
  ClientResult<api::Approver> revoke_approver_key(std::string_view jkt,
                                                  const api::RevokeApproverKey& message) const;

  ClientResult<api::GateList> gates() const;

 private:
  Client::Impl* impl_;
};

}  // namespace chancery
