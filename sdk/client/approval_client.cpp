#include <algorithm>
#include <string>
#include <utility>

#include <chancery/approval_client.hpp>

#include "sdk/base/percent.hpp"
#include "sdk/client/client_impl.hpp"
#include "sdk/client/pause.hpp"
#include "sdk/wire/approval_messages.hpp"
#include "sdk/wire/approver_messages.hpp"

namespace chancery {
namespace {

using client::Call;
using client::reading;

constexpr const char* kApprovals = "/v1/approvals";
constexpr const char* kApprovers = "/v1/approvers";
constexpr std::chrono::seconds kLongestWait{30};
// Of the client's time-out, what is left for the way there and back.
constexpr std::chrono::seconds kForTheWay{2};
// A daemon with too many who wait answers at once.
constexpr std::chrono::seconds kBetweenLooks{1};

Result<Call<api::Approval>> about(std::string_view id, const char* method) {
  if (id.empty()) return Error{ErrorCode::kInvalidArgument, "an approval's id is its 32 hexadecimal digits"};
  return Call<api::Approval>{{method, std::string(kApprovals) + "/" + percent_encode(id), {}},
                             reading<wire::read_approval>};
}

Result<Call<api::ApprovalPage>> page_call(const api::ApprovalQuery& query) {
  std::string target = client::page_target(kApprovals, query.after, query.limit);
  if (!query.state.empty()) target += "&state=" + percent_encode(query.state);
  if (query.newest_first) target += "&order=newest";
  return Call<api::ApprovalPage>{{"GET", std::move(target), {}}, reading<wire::read_approval_page>};
}

Result<Call<api::Approval>> wait_call(std::string_view id, std::chrono::seconds patience,
                                      const std::stop_token& stop) {
  CHANCERY_ASSIGN(Call<api::Approval> call, about(id, "GET"));
  call.request.target += "?wait=" + std::to_string(patience.count());
  call.request.stop = stop;
  return call;
}

Result<Call<api::DecidedApproval>> decision_call(std::string_view id, const api::DecideApproval& message) {
  if (id.empty() || message.decision.empty())
    return Error{ErrorCode::kInvalidArgument,
                 "a decision is sent for an approval's id, its 32 hexadecimal digits, and is a JWS"};
  return Call<api::DecidedApproval>{
      {"POST", std::string(kApprovals) + "/" + percent_encode(id) + "/decision", wire::write(message)},
      reading<wire::read_decided_approval>};
}

Result<Call<api::Approver>> approver_call(std::string_view principal) {
  if (principal.empty())
    return Error{ErrorCode::kInvalidArgument, "an approver is a principal, such as user:bob@example.org"};
  return Call<api::Approver>{{"GET", std::string(kApprovers) + "/" + percent_encode(principal), {}},
                             reading<wire::read_approver>};
}

Result<Call<api::Approver>> revocation_call(std::string_view jkt, const api::RevokeApproverKey& message) {
  if (jkt.empty())
    return Error{ErrorCode::kInvalidArgument, "an approver's key is named by its thumbprint, 43 characters"};
  return Call<api::Approver>{
      {"POST", "/v1/approver-keys/" + percent_encode(jkt) + "/revoke", wire::write(message)},
      reading<wire::read_approver>};
}

}  // namespace

ClientResult<api::ApprovalPage> ApprovalClient::approvals(const api::ApprovalQuery& query) const {
  return impl_->run(page_call(query));
}

ClientResult<api::Approval> ApprovalClient::approval(std::string_view id) const {
  return impl_->run(about(id, "GET"));
}

ClientResult<api::Approval> ApprovalClient::cancel(std::string_view id) const {
  return impl_->run(about(id, "DELETE"));
}

ClientResult<api::Approval> ApprovalClient::wait(std::string_view id, std::chrono::seconds patience,
                                                 const std::stop_token& stop) const {
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(impl_->timeout) - kForTheWay;
  return impl_->run(wait_call(
      id,
      std::clamp(patience, std::chrono::seconds(0), std::clamp(left, std::chrono::seconds(0), kLongestWait)),
      stop));
}

ClientResult<api::Approval> ApprovalClient::wait_until_decided(std::string_view id,
                                                               const std::stop_token& stop) const {
  for (;;) {
    CHANCERY_ASSIGN(api::Approval approval, wait(id, kLongestWait, stop));
    if (approval.state != "pending") return approval;
    client::pause_for(kBetweenLooks, stop);
    if (stop.stop_requested()) return Client::Impl::local(client::kGivenUp);
  }
}

std::jthread ApprovalClient::tell_when_decided(std::string id, Told told) const {
  return std::jthread([calls = *this, id = std::move(id), told = std::move(told)](
                          const std::stop_token& stop) { told(calls.wait_until_decided(id, stop)); });
}

ClientResult<api::DecidedApproval> ApprovalClient::decide(std::string_view id,
                                                          const api::DecideApproval& message) const {
  return impl_->run(decision_call(id, message));
}

ClientResult<api::ApproverList> ApprovalClient::approvers() const {
  return impl_->run(
      Result(Call<api::ApproverList>{{"GET", kApprovers, {}}, reading<wire::read_approver_list>}));
}

ClientResult<api::Approver> ApprovalClient::approver(std::string_view principal) const {
  return impl_->run(approver_call(principal));
}

ClientResult<api::Approver> ApprovalClient::enroll(const api::EnrollApprover& message) const {
  return impl_->run(
      Result(Call<api::Approver>{{"POST", kApprovers, wire::write(message)}, reading<wire::read_approver>}));
}

ClientResult<api::Approver> ApprovalClient::revoke_approver_key(std::string_view jkt,
                                                                const api::RevokeApproverKey& message) const {
  return impl_->run(revocation_call(jkt, message));
}

ClientResult<api::GateList> ApprovalClient::gates() const {
  return impl_->run(Result(Call<api::GateList>{{"GET", "/v1/gates", {}}, reading<wire::read_gate_list>}));
}

}  // namespace chancery
