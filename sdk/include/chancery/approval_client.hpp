#pragma once

#include <string_view>

#include <chancery/api_approvals.hpp>
#include <chancery/client.hpp>

namespace chancery {

/// The calls around tool calls that wait for a person (docs/protocol/approvals.md); everything that Client says of its own
/// holds for them. Borrows the client, which must outlive it but may be moved.
class ApprovalClient {
 public:
  explicit ApprovalClient(const Client& daemon) noexcept : impl_(daemon.impl_.get()) {}

  ClientResult<api::ApprovalPage> approvals(const api::ApprovalQuery& query = {}) const;
  /// With its document, while it is pending.
  ClientResult<api::Approval> approval(std::string_view id) const;
  /// Ends one that is pending: nobody can approve it any more. Without its document, which is forgotten by that.
  ClientResult<api::Approval> cancel(std::string_view id) const;

 private:
  Client::Impl* impl_;
};

}  // namespace chancery
