#include <chancery/runtime_client.hpp>

#include "sdk/base/cleanse.hpp"
#include "sdk/base/percent.hpp"
#include "sdk/client/client_impl.hpp"
#include "sdk/wire/runtime_messages.hpp"

namespace chancery {
namespace {

// An answer that holds a credential is overwritten once that has been read.
template <auto Read>
auto reading_secret(std::string body) {
  auto value = Read(body);
  cleanse(body);
  return value;
}

std::string permit_target(std::string_view permit, const char* what) {
  return "/v1/permits/" + percent_encode(permit) + what;
}

}  // namespace

ClientResult<api::Permit> RuntimeClient::ask_permit(const api::AskPermit& request) const {
  return impl_->run<api::Permit>(client::Call<api::Permit>{{"POST", "/v1/permits", wire::write(request)},
                                                           reading_secret<wire::read_permit>});
}

ClientResult<api::ReleasedCredential> RuntimeClient::use_permit(std::string_view permit) const {
  return impl_->run<api::ReleasedCredential>(client::Call<api::ReleasedCredential>{
      {"POST", permit_target(permit, "/credential"), {}}, reading_secret<wire::read_released_credential>});
}

ClientResult<api::Receipt> RuntimeClient::report_result(std::string_view permit,
                                                        const api::CallResult& result) const {
  return impl_->run<api::Receipt>(client::Call<api::Receipt>{
      {"POST", permit_target(permit, "/result"), wire::write(result)}, client::reading<wire::read_receipt>});
}

ClientResult<api::SignedReceipts> RuntimeClient::sign_receipts(const api::SignReceipts& request) const {
  return impl_->run<api::SignedReceipts>(client::Call<api::SignedReceipts>{
      {"POST", "/v1/receipts", wire::write(request)}, client::reading<wire::read_signed_receipts>});
}

ClientResult<api::RecordedRefusal> RuntimeClient::report_refusal(const api::ToolRefusal& refusal) const {
  return impl_->run<api::RecordedRefusal>(client::Call<api::RecordedRefusal>{
      {"POST", "/v1/tool-refusals", wire::write(refusal)}, client::reading<wire::read_recorded_refusal>});
}

}  // namespace chancery
