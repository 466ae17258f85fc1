#pragma once

#include <string_view>

#include <chancery/api_runtime.hpp>
#include <chancery/client.hpp>

namespace chancery {

/// The calls of a tool runtime (docs/protocol/runtime.md); everything that Client says of its own holds for them. The caller is an
/// agent that the daemon's configuration names as a runtime. Borrows the client, which must outlive it but may be moved.
class RuntimeClient {
 public:
  explicit RuntimeClient(const Client& daemon) noexcept : impl_(daemon.impl_.get()) {}

  /// A denial is an answer too: look at `decision.permitted`.
  ClientResult<api::Permit> ask_permit(const api::AskPermit& request) const;
  /// Once, within 60 seconds.
  ClientResult<api::ReleasedCredential> use_permit(std::string_view permit) const;
  ClientResult<api::Receipt> report_result(std::string_view permit, const api::CallResult& result) const;
  ClientResult<api::SignedReceipts> sign_receipts(const api::SignReceipts& request) const;
  /// That a call was refused before anybody was asked for a permit.
  ClientResult<api::RecordedRefusal> report_refusal(const api::ToolRefusal& refusal) const;

 private:
  Client::Impl* impl_;
};

}  // namespace chancery
