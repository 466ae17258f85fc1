#pragma once

#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <chancery/api_runtime.hpp>
#include <chancery/client.hpp>

#include "tests/integration/daemon/daemon_process.hpp"
#include "tests/integration/daemon/started_tpm.hpp"

namespace chancery::tests {

/// The real daemon on a real swtpm, with issuers as they are configured, a runtime that the test plays, and an agent whose chains are
/// for the tool `list-orders` under the scope `orders.read`.
class DaemonScene {
 public:
  static constexpr const char* kUrl = "https://tools.test.example";

  /// \param issuers  the sections `[[vault.issuer]]`
  explicit DaemonScene(const std::string& issuers);

  /// Puts an issuer's own secret.
  void put_secret(const std::string& name, const std::string& issuer, const std::string& value) const;
  /// Puts what an issuer makes, for the tool.
  void put_issued(const std::string& name, const std::string& issuer) const;

  [[nodiscard]] std::vector<std::string> granted(std::chrono::seconds lifetime) const;
  /// What is asked for one call by that chain, with a proof of its own.
  [[nodiscard]] api::AskPermit question(const std::string& credential,
                                        const std::vector<std::string>& chain) const;
  [[nodiscard]] ClientResult<api::Permit> ask(const std::string& credential,
                                              std::chrono::seconds leaf = std::chrono::hours(1)) const;
  /// The permit with what was issued for it; a Boost requirement.
  [[nodiscard]] api::Permit permitted(const std::string& credential,
                                      std::chrono::seconds leaf = std::chrono::hours(1)) const;
  void report(const api::Permit& permit, bool refused_credential = false) const;

  /// What `chancery vault issuers` says.
  [[nodiscard]] ProgramResult issuers() const;
  /// How often that stands in the audit log.
  [[nodiscard]] std::size_t count(const std::string& text) const;

 private:
  simulators::Swtpm tpm_ = start_tpm();

 public:
  DaemonProcess daemon;
};

[[nodiscard]] std::string value_of(const api::Permit& permit);

}  // namespace chancery::tests
