// Backup and restore with the real programs on a real swtpm: what comes back with an older copy, and what does not.

#include <filesystem>
#include <fstream>

#include <boost/test/unit_test.hpp>

#include <chancery/audit_client.hpp>

#include "tests/integration/daemon/spending_daemon.hpp"

namespace chancery::tests {
namespace {

/// What is done with a backup of it.
struct Restored : SpendingDaemon {
  using SpendingDaemon::SpendingDaemon;

  std::string file() const { return (daemon.folder() / "backup").string(); }
  void back_up() const {
    const ProgramResult made = run_here({"backup", file()});
    BOOST_REQUIRE_MESSAGE(made.exit_status == 0, made.output);
  }
  ProgramResult restore() const { return run({"restore", file(), "--state", daemon.state().string()}); }
  void restore_and_start() {
    BOOST_TEST(daemon.stop() == 0);
    const ProgramResult restored = restore();
    BOOST_REQUIRE_MESSAGE(restored.exit_status == 0, restored.output);
    daemon.start();
  }

  std::string outcome(const std::vector<std::string>& of) const {
    const Client client = daemon.client();
    return answered(client.verify({of, {}, {}})).outcome;
  }
  void revoke(const std::vector<std::string>& of) const {
    std::string text;
    for (const std::string& token : of) text += (text.empty() ? "" : "~") + token;
    const ProgramResult revoked = run_here({"revoke", "--chain", text});
    BOOST_REQUIRE_MESSAGE(revoked.exit_status == 0, revoked.output);
  }
  std::string log_name() const {
    const Client client = daemon.client();
    return answered(AuditClient(client).keys()).origin;
  }
  void expect_halted() const {
    const Client client = daemon.client();
    BOOST_TEST(client.budget()->state == "halted");
    BOOST_TEST(!client.readiness()->ready);
    BOOST_TEST(spend(chain, 1) == "spending_halted");
    BOOST_TEST(outcome(chain) == "status_unknown");
    BOOST_TEST(!AuditClient(client).make_checkpoint());
    const ProgramResult unsaid = run_here({"budget", "accept"});
    BOOST_TEST(unsaid.exit_status != 0);
    BOOST_TEST(unsaid.output.find("--end-tokens") != std::string::npos, unsaid.output);
  }
  void accept(const char* tokens) const {
    const ProgramResult accepted = run_here({"budget", "accept", tokens});
    BOOST_REQUIRE_MESSAGE(accepted.exit_status == 0, accepted.output);
  }
  /// With the programs that an auditor would use.
  void expect_verifiable_log(const std::string& name) const {
    const ProgramResult exported = run_here({"audit", "export", "--sign"});
    BOOST_REQUIRE_MESSAGE(exported.exit_status == 0, exported.output);
    BOOST_TEST(exported.output.find(name) != std::string::npos);
    BOOST_TEST(exported.output.find("log.rename") != std::string::npos);
    const std::string log = (daemon.folder() / "log.jsonl").string();
    const std::string keys = (daemon.folder() / "audit.keys").string();
    std::ofstream(log) << exported.output;
    std::ofstream(keys) << run_here({"audit", "keys"}).output;
    const ProgramResult verified = run({"audit", "verify", log, "--key", keys});
    BOOST_TEST(verified.exit_status == 0, verified.output);
  }
};

struct WithoutCounter : Restored {
  WithoutCounter() : Restored("[budgets]\ncheckpoint = \"none\"\n") {}
};

}  // namespace

BOOST_AUTO_TEST_SUITE(backups)

BOOST_FIXTURE_TEST_CASE(a_backup_is_one_private_file_that_tells_what_is_in_it, Restored) {
  back_up();
  BOOST_TEST((std::filesystem::status(file()).permissions() == std::filesystem::perms(0600)));
  BOOST_TEST(std::filesystem::is_empty(daemon.state() / "backups"));
  const ProgramResult told = run({"restore", "--check", file()});
  BOOST_TEST(told.exit_status == 0, told.output);
  BOOST_TEST(told.output.find(log_name()) != std::string::npos, told.output);
  BOOST_TEST(run_here({"backup", file()}).exit_status != 0);  // it is there already
}

BOOST_FIXTURE_TEST_CASE(a_backup_that_was_changed_is_not_restored, Restored) {
  back_up();
  BOOST_TEST(daemon.stop() == 0);
  {
    std::fstream changed(file(), std::ios::in | std::ios::out | std::ios::binary);
    changed.seekp(-100, std::ios::end);
    changed.put('!');
  }
  BOOST_TEST(run({"restore", "--check", file()}).exit_status == 2);
  const ProgramResult refused = restore();
  BOOST_TEST(refused.exit_status == 2);
  BOOST_TEST(refused.output.find("damaged") != std::string::npos, refused.output);
  BOOST_TEST(!std::filesystem::exists(daemon.state() / "restored"));
  daemon.start();
  BOOST_TEST(spend(chain, 1) == "permit");
}

BOOST_FIXTURE_TEST_CASE(nothing_is_restored_under_a_running_daemon, Restored) {
  back_up();
  const ProgramResult refused = restore();
  BOOST_TEST(refused.exit_status != 0);
  BOOST_TEST(refused.output.find("stop it first") != std::string::npos, refused.output);
  BOOST_TEST(spend(chain, 1) == "permit");
}

BOOST_FIXTURE_TEST_CASE(the_former_database_is_kept_aside, Restored) {
  back_up();
  BOOST_TEST(daemon.stop() == 0);
  BOOST_TEST(restore().exit_status == 0);
  bool is_there = false;
  for (const auto& entry : std::filesystem::directory_iterator(daemon.state()))
    is_there = is_there || entry.path().filename().string().starts_with("chancery.db.before-");
  BOOST_TEST(is_there);
}

BOOST_FIXTURE_TEST_CASE(tokens_that_end_with_a_restored_backup_spend_and_bring_back_nothing, Restored) {
  const std::string former = log_name();
  back_up();
  const std::vector<std::string> revoked = chain;
  const std::vector<std::string> later = granted();  // of which the backup knows nothing
  BOOST_TEST(spend(chain, 100) == "permit");
  revoke(revoked);
  restore_and_start();
  expect_halted();
  accept("--end-tokens");
  BOOST_TEST(outcome(revoked) != "valid");
  BOOST_TEST(outcome(later) != "valid");
  BOOST_TEST(spend(revoked, 1) == "parent_denied");
  BOOST_TEST(spend(later, 1) == "parent_denied");

  BOOST_TEST(run_here({"issuer", "rotate"}).exit_status == 0);
  const std::vector<std::string> fresh = granted();
  BOOST_TEST(outcome(fresh) == "valid");
  BOOST_TEST(spend(fresh, 100) == "permit");
  BOOST_TEST(log_name() != former);
  expect_verifiable_log(log_name());
  daemon.stop();
  daemon.start();
  BOOST_TEST(daemon.client().budget()->state == "open");
  BOOST_TEST(outcome(revoked) != "valid");
}

BOOST_FIXTURE_TEST_CASE(tokens_that_are_kept_are_so_by_the_operators_word_alone, Restored) {
  back_up();
  BOOST_TEST(spend(chain, 100) == "permit");
  revoke(chain);
  restore_and_start();
  expect_halted();
  daemon.kill();
  daemon.start();
  expect_halted();
  accept("--keep-tokens");
  BOOST_TEST(outcome(chain) == "valid");
  BOOST_TEST(spend(chain, 100) == "permit");
  expect_verifiable_log(log_name());
}

BOOST_FIXTURE_TEST_CASE(without_a_counter_the_mark_of_a_restore_tells, WithoutCounter) {
  back_up();
  revoke(chain);
  restore_and_start();
  expect_halted();
  accept("--keep-tokens");
  BOOST_TEST(!std::filesystem::exists(daemon.state() / "restored"));
  BOOST_TEST(spend(chain, 1) == "permit");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
