#include <chancery/overview_client.hpp>

#include "sdk/client/client_impl.hpp"
#include "sdk/wire/messages.hpp"
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

Result<Call<api::KeyList>> list_webhook_keys() {
  return Call<api::KeyList>{{"GET", "/v1/webhook/keys", {}}, client::reading<wire::read_key_list>};
}

Result<Call<api::Rotation>> rotate_key_of_webhook(const api::RotateKey& message) {
  return Call<api::Rotation>{{"POST", "/v1/webhook/keys/rotate", wire::write(message)},
                             client::reading<wire::read_rotation>};
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

ClientResult<api::KeyList> OverviewClient::webhook_keys() const { return impl_->run(list_webhook_keys()); }
std::future<ClientResult<api::KeyList>> OverviewClient::webhook_keys_async() const {
  return impl_->post(list_webhook_keys());
}

ClientResult<api::Rotation> OverviewClient::rotate_webhook_key(const api::RotateKey& request) const {
  return impl_->run(rotate_key_of_webhook(request));
}
std::future<ClientResult<api::Rotation>> OverviewClient::rotate_webhook_key_async(
    const api::RotateKey& request) const {
  return impl_->post(rotate_key_of_webhook(request));
}

ClientResult<KeySet> OverviewClient::webhook_jwks() const { return impl_->run(client::webhook_jwks()); }
std::future<ClientResult<KeySet>> OverviewClient::webhook_jwks_async() const {
  return impl_->post(client::webhook_jwks());
}

}  // namespace chancery
