// Budgets with the real daemon on a real swtpm: what a restart keeps, and what a copy of the state folder cannot
// give back.

#include <filesystem>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include "simulators/swtpm/swtpm.hpp"
#include "tests/integration/daemon/daemon_process.hpp"
#include "tests/integration/daemon/scrape.hpp"

namespace chancery::tests {
namespace {

constexpr const char* kUri = "https://api.example.org/refunds";

simulators::Swtpm start_tpm() {
  auto tpm = simulators::Swtpm::start();
  BOOST_REQUIRE(tpm);
  return *std::move(tpm);
}

/// A daemon, and an agent with a chain that may spend 100.
struct Spending {
  simulators::Swtpm tpm = start_tpm();
  DaemonProcess daemon{{.tcti = tpm.tcti()}};
  std::vector<std::string> chain;

  Spending() {
    daemon.start();
    const Client client = daemon.client();
    BOOST_REQUIRE(client.create_agent(agent_of("orchestrator", ::geteuid())));
    api::CreateGrant request;
    request.principal = "user:alice@example.org";
    request.agent = "orchestrator";
    request.audience = {"https://api.example.org"};
    request.authority.scopes = {"payments.refund"};
    request.authority.constraints = {{"amount", NumberBound{NumberBound::Type::kMaxSubtree, 100}}};
    request.lifetime = std::chrono::seconds(3600);
    const auto granted = client.grant(request);
    BOOST_REQUIRE_MESSAGE(granted, (granted ? "" : granted.error().detail));
    chain = granted->chain;
  }

  [[nodiscard]] ClientResult<api::Decision> spend(int amount) const {
    const Client client = daemon.client();
    const auto proof = client.prove({chain, "POST", kUri, std::nullopt});
    BOOST_REQUIRE_MESSAGE(proof, (proof ? "" : proof.error().detail));
    api::Authorize request;
    request.chain = chain;
    request.proof = proof->proof;
    request.method = "POST";
    request.uri = kUri;
    request.audience = "https://api.example.org";
    request.scope = "payments.refund";
    request.params = R"({"amount":)" + std::to_string(amount) + "}";
    return client.authorize(request);
  }
  /// "permit", or the denial's outcome, or the problem's code.
  [[nodiscard]] std::string outcome(int amount) const {
    const auto decision = spend(amount);
    if (!decision) return decision.error().code;
    return decision->permitted ? "permit" : decision->outcome;
  }

  void copy_state() const { std::filesystem::copy(daemon.state(), daemon.folder() / "copy"); }
  void restore_state() const {
    std::filesystem::remove_all(daemon.state());
    std::filesystem::copy(daemon.folder() / "copy", daemon.state());
    std::filesystem::permissions(daemon.state(), std::filesystem::perms::owner_all);
  }
  void check_halted() const {
    BOOST_TEST(outcome(1) == "spending_halted");
    const Client client = daemon.client();
    BOOST_TEST(client.budget()->state == "halted");
    BOOST_TEST(!client.readiness()->ready);
    BOOST_TEST(metric(scrape(daemon), "chancery_spending_open").value() == 0);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(budgets)

BOOST_FIXTURE_TEST_CASE(what_was_spent_stays_spent_over_stops_and_kills, Spending) {
  BOOST_TEST(outcome(60) == "permit");
  daemon.stop();
  daemon.start();
  BOOST_TEST(outcome(41) == "ceiling_exceeded");
  BOOST_TEST(outcome(39) == "permit");
  daemon.kill();
  daemon.start();
  BOOST_TEST(outcome(2) == "ceiling_exceeded");
  BOOST_TEST(outcome(1) == "permit");
  BOOST_TEST(daemon.client().budget()->state == "open");
  BOOST_TEST(metric(scrape(daemon), "chancery_spending_open").value() == 1);
}

BOOST_FIXTURE_TEST_CASE(a_restored_backup_gives_nothing_back_until_the_operator_decides, Spending) {
  daemon.stop();
  copy_state();
  daemon.start();
  BOOST_TEST(outcome(100) == "permit");
  daemon.stop();
  restore_state();
  daemon.start();
  check_halted();
  const auto accepted = run_program(
      {CHANCERY_BINARY_DIR "/chancery", "budget", "accept", "--socket", daemon.socket().string()});
  BOOST_TEST(accepted.exit_status == 0, accepted.output);
  BOOST_TEST(outcome(1) == "permit");
}

BOOST_FIXTURE_TEST_CASE(a_hot_copy_of_before_the_last_checkpoint_gives_nothing_back, Spending) {
  BOOST_TEST(outcome(10) == "permit");
  copy_state();
  BOOST_TEST(outcome(90) == "permit");
  daemon.stop();
  restore_state();
  daemon.start();
  check_halted();
}

BOOST_FIXTURE_TEST_CASE(a_cleared_tpm_halts_spending, Spending) {
  daemon.stop();
  BOOST_REQUIRE(tpm.clear());
  daemon.start();
  BOOST_TEST(daemon.client().budget()->state != "open");
}

BOOST_FIXTURE_TEST_CASE(a_tpm_that_is_away_at_the_start_is_waited_for, Spending) {
  daemon.stop();
  tpm.stop();
  daemon.start();
  BOOST_TEST(daemon.client().budget()->state == "waiting");
  BOOST_REQUIRE(tpm.restart());
  BOOST_TEST(eventually([&] { return daemon.client().budget()->state == "open"; }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
