// Budgets with the real daemon on a real swtpm: what a restart keeps, and what a copy of the state folder cannot
// give back.

#include <filesystem>

#include <boost/test/unit_test.hpp>

#include "tests/integration/daemon/scrape.hpp"
#include "tests/integration/daemon/spending_daemon.hpp"

namespace chancery::tests {
namespace {

struct Spending : SpendingDaemon {
  [[nodiscard]] std::string outcome(int amount) const { return spend(chain, amount); }

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
  const auto accepted = run_program({CHANCERY_BINARY_DIR "/chancery", "budget", "accept", "--keep-tokens",
                                     "--socket", daemon.socket().string()});
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
