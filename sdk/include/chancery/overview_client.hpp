#pragma once

#include <cstddef>
#include <future>

#include <chancery/api_overview.hpp>
#include <chancery/client.hpp>

namespace chancery {

/// What an operator sees of a daemon at a glance; everything that Client says of its own calls holds for these. Borrows
/// the client, which must outlive it but may be moved.
class OverviewClient {
 public:
  explicit OverviewClient(const Client& daemon) noexcept : impl_(daemon.impl_.get()) {}

  ClientResult<api::Overview> overview() const;
  std::future<ClientResult<api::Overview>> overview_async() const;

  /// \param limit  1 to 1000
  ClientResult<api::AnomalyList> anomalies(std::size_t limit = 100) const;
  std::future<ClientResult<api::AnomalyList>> anomalies_async(std::size_t limit = 100) const;

  /// Keys that sign what is told to the webhook of anomalies, newest first; and their rotation.
  ClientResult<api::KeyList> webhook_keys() const;
  std::future<ClientResult<api::KeyList>> webhook_keys_async() const;
  ClientResult<api::Rotation> rotate_webhook_key(const api::RotateKey& request = {}) const;
  std::future<ClientResult<api::Rotation>> rotate_webhook_key_async(const api::RotateKey& request = {}) const;
  /// The same keys as they are published, for whoever is told.
  ClientResult<KeySet> webhook_jwks() const;
  std::future<ClientResult<KeySet>> webhook_jwks_async() const;

 private:
  Client::Impl* impl_;
};

}  // namespace chancery
