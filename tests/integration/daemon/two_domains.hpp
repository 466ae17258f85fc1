#pragma once

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include <chancery/remote_trust.hpp>

#include "tests/integration/daemon/daemon_process.hpp"
#include "tests/integration/daemon/kept_daemon.hpp"
#include "tests/integration/daemon/two_devices.hpp"

namespace chancery::tests {

/// A trust domain: a daemon over TLS with a TPM of its own, and two agents.
struct Domain {
  /// \param extra  further configuration
  explicit Domain(std::string domain_name, const std::string& extra = {})
      : name(std::move(domain_name)),
        daemon({.tcti = tpm.tcti(),
                .extra = extra,
                .trust_domain = name,
                .issuer_url = "https://localhost:" + std::to_string(port),
                .tls_port = port}) {
    daemon.start();
    for (const char* agent : {"orchestrator", "support"})
      answered(daemon.client().create_agent(agent_of(agent, ::geteuid())));
  }

  [[nodiscard]] std::string url() const { return "https://localhost:" + std::to_string(port); }
  [[nodiscard]] std::string ca_file() const { return (daemon.folder() / "ca.pem").string(); }

  /// A grant to the orchestrator, on behalf of alice of this domain.
  [[nodiscard]] api::CreateGrant grant() const {
    api::CreateGrant request = grant_to("orchestrator");
    request.principal = "user:alice@" + name;
    return request;
  }
  /// A chain of it, through both agents.
  [[nodiscard]] std::vector<std::string> chain(const api::CreateGrant& request) const {
    const auto root = answered(daemon.client().grant(request)).chain;
    return answered(daemon.client().delegate(delegation_of(root, "support"))).chain;
  }
  [[nodiscard]] std::vector<std::string> chain() const { return chain(grant()); }

  std::string name;
  simulators::Swtpm tpm = required(simulators::Swtpm::start());
  std::uint16_t port = free_port();
  DaemonProcess daemon;
};

/// What this domain lets another one's chains say: of its own principals and agents, and no more than it grants here.
inline TrustAnchor limits_for(const Domain& other) {
  TrustAnchor anchor;
  anchor.iss = other.url();
  anchor.sub = {"user:alice@" + other.name};
  anchor.client_id = {"spiffe://" + other.name + "/agent/*"};
  anchor.ceiling = required(Authority::parse(
      R"({"scopes":["crm.*","payments.refund"],"constraints":[{"key":"payments.refund#amount","max":500}]})"));
  return anchor;
}

}  // namespace chancery::tests
