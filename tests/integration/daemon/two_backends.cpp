// The real daemon with a TPM (swtpm) and a PKCS#11 token (SoftHSM) at once.

#include <atomic>
#include <fstream>
#include <thread>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include <chancery/attestation_client.hpp>

#include "sdk/crypto/verify_key.hpp"
#include "sdk/verify/attestation_result.hpp"
#include "simulators/faults/pkcs11_faults.hpp"
#include "simulators/softhsm/softhsm.hpp"
#include "simulators/swtpm/swtpm.hpp"
#include "tests/integration/daemon/published_trust.hpp"
#include "tests/integration/daemon/two_devices.hpp"
#include "tests/unit/pkcs11/owner_child.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;
using simulators::Pkcs11Call;

/// Both devices, and a daemon that is configured for both. The token is behind the shim that makes it fail.
struct TwoDevices {
  simulators::Swtpm tpm = required(simulators::Swtpm::start());
  simulators::SoftHsm store = required(simulators::SoftHsm::create());
  simulators::SoftToken token = required(store.add_token("production"));
  simulators::Pkcs11Faults faults = required(simulators::Pkcs11Faults::create());
  std::unique_ptr<DaemonProcess> daemon;

  TwoDevices() {
    store.use_in_this_process();
    faults.wrap_in_this_process(simulators::SoftHsm::module());
  }

  void start(const std::string& issuer_backend, const std::string& further = "") {
    DaemonSettings settings;
    settings.tcti = tpm.tcti();
    settings.issuer_backend = issuer_backend;
    settings.extra = token_section(token, simulators::Pkcs11Faults::module()) + further;
    daemon = std::make_unique<DaemonProcess>(settings);
    daemon->start();
  }

  void create_agent(const std::string& name, const std::string& backend) const {
    BOOST_TEST(answered(daemon->client().create_agent(agent_on(backend, name))).backend == backend);
  }

  /// However often the token is asked for.
  void expect_pin_refused_once() const {
    for (int i = 0; i < 3; ++i) {
      const auto created = daemon->client().create_agent(agent_on("hsm", "support"));
      BOOST_REQUIRE(!created);
      BOOST_TEST(created.error().code == "pin_refused");
    }
    BOOST_TEST(faults.calls(Pkcs11Call::kLogin) == 1u);
  }

  std::vector<std::string> delegate(const std::vector<std::string>& chain, const std::string& to) const {
    return answered(daemon->client().delegate(delegation_of(chain, to))).chain;
  }

  void verify(const std::vector<std::string>& chain) const {
    BOOST_TEST(answered(daemon->client().verify({chain, std::nullopt})).outcome == "valid");
    const TrustConfig trust = published_trust(daemon->client(), chain);
    const std::vector<std::string_view> tokens(chain.begin(), chain.end());
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    BOOST_TEST(verify_chain(tokens, TrustSnapshot(trust), now).valid());
  }
};

}  // namespace

// Each device proves what it can: a simulator's TPM that it is one, a token nothing beyond its word.
BOOST_FIXTURE_TEST_CASE(what_is_known_of_a_key_is_what_its_device_can_prove, TwoDevices) {
  start("tpm");
  const Client client = daemon->client();
  const AttestationClient attestation(client);
  for (const auto& [backend, level] :
       {std::pair("tpm", Custody::kTpmCertifiedEmulated), std::pair("hsm", Custody::kPkcs11Claimed)}) {
    const std::string jkt = answered(client.create_agent(agent_on(backend, backend))).jkt;
    const auto results = answered(attestation.results(jkt)).results;
    BOOST_REQUIRE(results.size() == 1u);
    std::vector<VerifyKey> keys;
    for (const PublicKey& key : answered(attestation.jwks()).keys)
      keys.push_back(required(VerifyKey::from(key)));
    const AttestationResult result = required(open_attestation_result(results.front(), keys));
    BOOST_TEST((result.custody == level), backend);
    BOOST_TEST(result.key.text() == jkt);
  }
}

BOOST_FIXTURE_TEST_CASE(a_chain_goes_through_agents_on_both_devices, TwoDevices) {
  for (const std::string issuer : {"tpm", "hsm"}) {
    start(issuer);
    create_agent("orchestrator", "tpm");
    create_agent("support", "hsm");
    create_agent("archive", "tpm");
    const auto granted = answered(daemon->client().grant(grant_to("orchestrator")));
    const auto at_support = delegate(granted.chain, "support");
    verify(at_support);
    const auto at_archive = delegate(at_support, "archive");
    BOOST_TEST(at_archive.size() == 3u);
    verify(at_archive);

    BOOST_TEST(daemon->stop() == 0);
    daemon->start();
    verify(delegate(at_support, "archive"));
    BOOST_TEST(daemon->output().find(simulators::SoftHsm::kPin) == std::string::npos);
    BOOST_TEST(daemon->stop() == 0);
  }
}

BOOST_FIXTURE_TEST_CASE(an_agent_without_a_backend_lives_on_the_first, TwoDevices) {
  start("hsm");
  BOOST_TEST(answered(daemon->client().create_agent(agent_of("orchestrator", ::geteuid()))).backend == "tpm");
}

BOOST_FIXTURE_TEST_CASE(a_retired_agent_leaves_nothing_in_the_token, TwoDevices) {
  start("tpm");
  create_agent("support", "hsm");
  BOOST_TEST(faults.calls(Pkcs11Call::kDestroyObject) == 0u);
  BOOST_REQUIRE(daemon->client().retire_agent("support"));
  BOOST_TEST(faults.calls(Pkcs11Call::kDestroyObject) == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_stalled_module_does_not_stop_the_tpm_or_the_daemon, TwoDevices) {
  start("tpm", "max_sessions = 2\n");
  create_agent("orchestrator", "tpm");
  create_agent("support", "hsm");
  const auto granted = answered(daemon->client().grant(grant_to("orchestrator")));
  const auto at_support = delegate(granted.chain, "support");
  faults.hold(Pkcs11Call::kSign);
  {
    std::atomic<int> good = 0;
    std::vector<std::jthread> stalled;
    for (int i = 0; i < 2; ++i) {
      stalled.emplace_back(
          [&] { good += daemon->client().delegate(delegation_of(at_support, "orchestrator")) ? 1 : 0; });
    }
    BOOST_TEST(eventually([&] { return faults.waiting(Pkcs11Call::kSign) == 2; }));
    for (int i = 0; i < 10; ++i) verify(delegate(granted.chain, "support"));
    BOOST_TEST(faults.waiting(Pkcs11Call::kSign) == 2u);
    faults.release(Pkcs11Call::kSign);
    stalled.clear();
    BOOST_TEST(good == 2);
  }
}

namespace {

constexpr const char* kIsolated = "isolate = true\nmax_sessions = 2\n";

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_crash_in_the_module_costs_a_restart_of_its_own_process_only, TwoDevices) {
  start("tpm", kIsolated);
  create_agent("orchestrator", "tpm");
  create_agent("support", "hsm");
  const auto granted = answered(daemon->client().grant(grant_to("orchestrator")));
  const auto at_support = delegate(granted.chain, "support");
  const pid_t daemon_pid = daemon->pid();
  for (int round = 0; round < 3; ++round) {
    const auto before = hsm::owner_child(daemon_pid);
    BOOST_REQUIRE(before.has_value());
    faults.crash(Pkcs11Call::kSign);
    std::vector<std::string> through_token;
    {
      std::jthread on_token([&] { through_token = delegate(at_support, "orchestrator"); });
      for (int i = 0; i < 5; ++i) verify(delegate(granted.chain, "support"));  // signed by the TPM
    }
    verify(through_token);
    const auto after = hsm::owner_child(daemon_pid);
    BOOST_REQUIRE(after.has_value());
    BOOST_TEST(*after != *before);
  }
  BOOST_TEST(daemon->stop() == 0);  // the process that was started is the one that ends
}

BOOST_FIXTURE_TEST_CASE(the_modules_process_ends_when_the_daemon_is_stopped, TwoDevices) {
  start("tpm", kIsolated);
  const auto child = hsm::owner_child(daemon->pid());
  BOOST_REQUIRE(child.has_value());
  BOOST_TEST(daemon->stop() == 0);
  BOOST_TEST(!std::filesystem::exists("/proc/" + std::to_string(*child)));
}

BOOST_FIXTURE_TEST_CASE(the_modules_process_ends_when_the_daemon_is_killed, TwoDevices) {
  start("tpm", kIsolated);
  create_agent("orchestrator", "tpm");
  create_agent("support", "hsm");
  const auto granted = answered(daemon->client().grant(grant_to("orchestrator")));
  const auto at_support = delegate(granted.chain, "support");
  const auto child = hsm::owner_child(daemon->pid());
  BOOST_REQUIRE(child.has_value());
  faults.hold(Pkcs11Call::kSign);  // it ends also while it is inside of the module
  std::jthread caller(
      [&] { BOOST_TEST(!daemon->client().delegate(delegation_of(at_support, "orchestrator"))); });
  BOOST_TEST(eventually([&] { return faults.waiting(Pkcs11Call::kSign) == 1; }));
  daemon->kill();
  BOOST_TEST(eventually([&] {
    // Whoever inherits it may leave it a zombie.
    const std::string state = hsm::file_text("/proc/" + std::to_string(*child) + "/stat");
    return state.empty() || state.find(") Z") != std::string::npos || state.find(") X") != std::string::npos;
  }));
}

BOOST_FIXTURE_TEST_CASE(a_pin_that_was_refused_is_not_tried_by_the_next_process, TwoDevices) {
  std::ofstream(token.pin_file) << "000000\n";
  start("tpm", kIsolated);
  create_agent("orchestrator", "tpm");
  if (const auto child = hsm::owner_child(daemon->pid())) ::kill(*child, SIGKILL);
  expect_pin_refused_once();
}

BOOST_FIXTURE_TEST_CASE(a_token_that_is_away_fails_its_own_agents_only, TwoDevices) {
  start("tpm");
  create_agent("orchestrator", "tpm");
  create_agent("support", "hsm");
  const auto granted = answered(daemon->client().grant(grant_to("orchestrator")));
  const auto at_support = delegate(granted.chain, "support");
  faults.remove_token();
  const auto refused = daemon->client().delegate(delegation_of(at_support, "orchestrator"));
  BOOST_REQUIRE(!refused);
  BOOST_TEST(refused.error().code == "device_unavailable");
  verify(delegate(granted.chain, "support"));
  faults.return_token();
  verify(delegate(at_support, "orchestrator"));
}

BOOST_FIXTURE_TEST_CASE(a_refused_pin_does_not_end_the_daemon_and_is_not_tried_again, TwoDevices) {
  std::ofstream(token.pin_file) << "000000\n";
  start("tpm");
  create_agent("orchestrator", "tpm");
  expect_pin_refused_once();
}

}  // namespace chancery::tests
