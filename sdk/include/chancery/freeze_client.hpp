#pragma once

#include <string_view>

#include <chancery/api_freeze.hpp>
#include <chancery/client.hpp>

namespace chancery {

/// The calls that freeze agents' keys and unfreeze them (docs/operations/incidents.md); everything that Client says of its own
/// holds for them. Borrows the client, which must outlive it but may be moved.
class FreezeClient {
 public:
  explicit FreezeClient(const Client& daemon) noexcept : impl_(daemon.impl_.get()) {}

  ClientResult<api::AgentFreeze> freeze(std::string_view agent, const api::FreezeReason& request = {}) const;
  /// Without settings: what the operator's key is to sign, or the end of the freeze where that is nothing.
  ClientResult<api::AgentFreeze> unfreeze(std::string_view agent,
                                          const api::SignedSettings& request = {}) const;
  ClientResult<api::FreezeState> state() const;
  ClientResult<api::FreezeState> freeze_all(const api::FreezeReason& request = {}) const;
  /// As unfreeze(), for all.
  ClientResult<api::FreezeState> lift(const api::SignedSettings& request = {}) const;
  /// As unfreeze(): to make kill switches ready.
  ClientResult<api::FreezeState> arm(const api::SignedSettings& request = {}) const;

 private:
  Client::Impl* impl_;
};

}  // namespace chancery
