#include <chancery/overview_client.hpp>

#include "sdk/client/client_impl.hpp"
#include "sdk/wire/overview_messages.hpp"

namespace chancery {
namespace {

using client::Call;

Result<Call<api::Overview>> show_overview() {
  return Call<api::Overview>{{"GET", "/v1/overview", {}}, client::reading<wire::read_overview>};
}

Result<Call<api::AnomalyList>> list_anomalies(std::size_t limit) {
  return Call<api::AnomalyList>{{"GET", "/v1/anomalies?limit=" + std::to_string(limit), {}},
                                client::reading<wire::read_anomaly_list>};
}

}  // namespace

ClientResult<api::Overview> OverviewClient::overview() const { return impl_->run(show_overview()); }
std::future<ClientResult<api::Overview>> OverviewClient::overview_async() const {
  return impl_->post(show_overview());
}

ClientResult<api::AnomalyList> OverviewClient::anomalies(std::size_t limit) const {
  return impl_->run(list_anomalies(limit));
}
std::future<ClientResult<api::AnomalyList>> OverviewClient::anomalies_async(std::size_t limit) const {
  return impl_->post(list_anomalies(limit));
}

}  // namespace chancery
