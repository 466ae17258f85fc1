// The real daemon on a real swtpm: what was taken back stays so, and what was lent comes back, whatever happens to
// the daemon.

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include "tests/integration/daemon/daemon_process.hpp"
#include "tests/integration/daemon/published_trust.hpp"
#include "tests/integration/daemon/started_tpm.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;

/// A daemon and a chain through two agents.
struct Chained {
  simulators::Swtpm tpm = start_tpm();
  DaemonProcess daemon{{.tcti = tpm.tcti()}};
  std::vector<std::string> chain;

  Chained() {
    daemon.start();
    const Client client = daemon.client();
    for (const char* name : {"orchestrator", "support"}) {
      answered(client.create_agent(agent_of(name, ::geteuid())));
    }
    const auto root = answered(client.grant(grant_to("orchestrator"))).chain;
    chain = answered(client.delegate(delegation_of(root, "support"))).chain;
  }

  [[nodiscard]] std::string outcome() const {
    return answered(daemon.client().verify({chain, std::nullopt})).outcome;
  }
  [[nodiscard]] Outcome elsewhere() const {
    const TrustSnapshot trust(published_trust(daemon.client(), chain));
    const std::vector<std::string_view> tokens(chain.begin(), chain.end());
    return verify_chain(tokens, trust,
                        std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()))
        .outcome();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_revocation_survives_the_daemon, Chained) {
  BOOST_TEST(outcome() == "valid");
  BOOST_TEST((elsewhere() == Outcome::kValid));
  const api::StatusAct done = answered(daemon.client().revoke({{"agent", "orchestrator"}, "stolen"}));
  BOOST_TEST(done.tokens == 2u);
  BOOST_TEST(outcome() == "revoked");
  BOOST_TEST((elsewhere() == Outcome::kRevoked));
  daemon.kill();
  daemon.start();
  BOOST_TEST(outcome() == "revoked");
  BOOST_TEST((elsewhere() == Outcome::kRevoked));
}

BOOST_FIXTURE_TEST_CASE(a_drill_ends_although_the_daemon_was_killed, Chained) {
  const api::Drill drill = answered(daemon.client().start_drill({{"agent", "support"}, 5s, "try"}));
  BOOST_TEST(outcome() == "revoked");
  // The report has what is written each second.
  BOOST_TEST(eventually([&] { return !answered(daemon.client().drill(drill.act.id)).denials.empty(); }));
  daemon.kill();
  daemon.start();
  BOOST_TEST(eventually([&] { return outcome() == "valid"; }));
  const api::Drill report = answered(daemon.client().drill(drill.act.id));
  BOOST_REQUIRE(report.act.lifted_at);
  BOOST_TEST(*report.act.lifted_at >= *drill.act.until);
  BOOST_REQUIRE(report.denials.size() == 1u);
  BOOST_TEST(report.denials[0].agent == "support");
  BOOST_TEST(report.denials[0].count >= 1u);
  BOOST_TEST((elsewhere() == Outcome::kValid));
}

BOOST_FIXTURE_TEST_CASE(the_key_of_the_lists_is_in_the_device_and_stays, Chained) {
  const auto keys = answered(daemon.client().status_keys()).keys;
  BOOST_REQUIRE(keys.size() == 1u);
  BOOST_TEST(keys[0].backend == "tpm");
  BOOST_TEST(daemon.stop() == 0);
  daemon.start();
  BOOST_TEST(answered(daemon.client().status_keys()).keys[0].jkt == keys[0].jkt);
  const api::Rotation rotated = answered(daemon.client().rotate_status_key());
  BOOST_TEST(answered(daemon.client().status_jwks()).keys.size() == 2u);
  BOOST_TEST(rotated.former->jkt == keys[0].jkt);
  BOOST_TEST((elsewhere() == Outcome::kValid));
}

}  // namespace chancery::tests
