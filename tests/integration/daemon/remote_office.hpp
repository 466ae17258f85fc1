#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <chancery/credential.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/client/calls.hpp"
#include "sdk/client/transport.hpp"
#include "tests/integration/cli/chancery_process.hpp"
#include "tests/integration/daemon/daemon_process.hpp"
#include "tests/integration/daemon/two_devices.hpp"

namespace chancery::tests {

inline std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

inline HolderKey new_key() { return required(HolderKey::generate()); }

/// A daemon, that of a developer unless another is given, with TLS, and an operator's chain.
struct RemoteOffice {
  explicit RemoteOffice(std::unique_ptr<DaemonProcess> started = DaemonProcess::development())
      : daemon(std::move(started)) {
    const auto minted =
        daemon->client().create_operator({"admin", operator_key.public_key().thumbprint().text()});
    operator_chain = answered(minted).chain;
  }

  [[nodiscard]] std::string address() const { return answered(daemon->client().metadata()).issuer; }

  [[nodiscard]] ClientOptions options(std::shared_ptr<const Credential> credential) const {
    ClientOptions options;
    options.timeout = std::chrono::seconds(40);
    options.address = address();
    options.ca_file = (daemon->socket().parent_path() / "ca.pem").string();
    options.credential = std::move(credential);
    return options;
  }

  [[nodiscard]] Client client(const std::vector<std::string>& chain, const HolderKey& key) const {
    return required(Client::connect(options(required(credential_of(chain, key)))));
  }

  [[nodiscard]] Client as_operator() const { return client(operator_chain, operator_key); }

  /// A chain of the operator's for `key` with this authority.
  [[nodiscard]] std::vector<std::string> delegated(const HolderKey& key, const std::string& authority) const {
    DelegationRequest request;
    request.client_id = "spiffe://dev.chancery.internal/service/other";
    request.holder = key.public_key().thumbprint();
    request.authority = required(Authority::parse(authority));
    request.lifetime = std::chrono::hours(1);
    return required(delegate_with(operator_key, operator_chain, request, now()));
  }

  /// Somebody to whom the operator has given the use of this agent's key.
  [[nodiscard]] Client as_operator_using(const std::string& agent) const {
    const HolderKey key = new_key();
    return client(delegated(key, R"({"scopes":["chancery.sessions.create"],"constraints":[{"key":"agent",)"
                                 R"("one_of":[")" +
                                     agent + R"("]}]})"),
                  key);
  }

  /// What the daemon says to one request over TLS. \param headers  in place of a chain and proof
  [[nodiscard]] client::HttpAnswer send(const client::HttpRequest& request) const {
    const auto transport = required(client::make_https_transport(
        {address(), (daemon->socket().parent_path() / "ca.pem").string()}, std::chrono::seconds(20)));
    return required(transport->send(request, std::chrono::steady_clock::now() + std::chrono::seconds(20)));
  }

  std::unique_ptr<DaemonProcess> daemon;
  HolderKey operator_key = new_key();
  std::vector<std::string> operator_chain;
};

/// The code of a refusal; "" when there was none.
template <typename T>
std::string refusal(const ClientResult<T>& result) {
  if (result) return "";
  return result.error().refused() ? result.error().code : std::string(error_name(result.error().error.code));
}

}  // namespace chancery::tests
