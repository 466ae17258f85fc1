#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include "tests/integration/daemon/daemon_process.hpp"
#include "tests/integration/daemon/started_tpm.hpp"

namespace chancery::tests {

/// A daemon on a TPM of its own, and an agent with a chain that may spend 100.
struct SpendingDaemon {
  /// \param extra   of its configuration
  /// \param before  is done to it before it is started
  explicit SpendingDaemon(
      std::string extra = "", const std::function<void(DaemonProcess&)>& before = [](DaemonProcess&) {})
      : daemon({.tcti = tpm.tcti(), .extra = std::move(extra)}) {
    before(daemon);
    daemon.start();
    answered(daemon.client().create_agent(agent_of("orchestrator", ::geteuid())));
    chain = granted();
  }

  [[nodiscard]] std::vector<std::string> granted() const {
    api::CreateGrant request;
    request.principal = "user:alice@example.org";
    request.agent = "orchestrator";
    request.audience = {"https://api.example.org"};
    request.authority.scopes = {"payments.refund"};
    request.authority.constraints = {{"amount", NumberBound{NumberBound::Type::kMaxSubtree, 100}}};
    request.lifetime = std::chrono::seconds(3600);
    return answered(daemon.client().grant(request)).chain;
  }

  /// What has a payment decided, with a fresh proof.
  [[nodiscard]] ClientResult<api::Authorize> payment(const std::vector<std::string>& from, int amount) const {
    return refund_of(daemon.client(), from, amount);
  }

  /// "permit", or the denial's outcome, or the problem's code.
  [[nodiscard]] std::string spend(const std::vector<std::string>& from, int amount) const {
    const auto request = payment(from, amount);
    if (!request) return request.error().code;
    const auto decision = daemon.client().authorize(*request);
    if (!decision) return decision.error().code;
    return decision->permitted ? "permit" : decision->outcome;
  }

  /// The `chancery` program.
  [[nodiscard]] static ProgramResult run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), CHANCERY_BINARY_DIR "/chancery");
    return run_program(arguments);
  }
  /// The same, told of this daemon.
  [[nodiscard]] ProgramResult run_here(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--socket", daemon.socket().string()});
    return run(std::move(arguments));
  }

  simulators::Swtpm tpm = start_tpm();
  DaemonProcess daemon;
  std::vector<std::string> chain;
};

}  // namespace chancery::tests
