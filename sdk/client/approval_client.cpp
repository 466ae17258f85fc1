#include <string>
#include <utility>

#include <chancery/approval_client.hpp>

#include "sdk/base/percent.hpp"
#include "sdk/client/client_impl.hpp"
#include "sdk/wire/approval_messages.hpp"

namespace chancery {
namespace {

using client::Call;
using client::reading;

constexpr const char* kApprovals = "/v1/approvals";

Result<Call<api::Approval>> about(std::string_view id, const char* method) {
  if (id.empty()) return Error{ErrorCode::kInvalidArgument, "an approval's id is its 32 hexadecimal digits"};
  return Call<api::Approval>{{method, std::string(kApprovals) + "/" + percent_encode(id), {}},
                             reading<wire::read_approval>};
}

Result<Call<api::ApprovalPage>> page_call(const api::ApprovalQuery& query) {
  std::string target = client::page_target(kApprovals, query.after, query.limit);
  if (!query.state.empty()) target += "&state=" + percent_encode(query.state);
  return Call<api::ApprovalPage>{{"GET", std::move(target), {}}, reading<wire::read_approval_page>};
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

}  // namespace chancery
