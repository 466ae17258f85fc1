// The audit log of the real daemon on a real swtpm: what it signs, what it says of its own life, and what it does not start
// with.

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include <chancery/audit_client.hpp>

#include "daemon/store/sqlite.hpp"
#include "sdk/audit/checkpoint.hpp"
#include "tests/integration/daemon/daemon_process.hpp"
#include "tests/integration/daemon/scrape.hpp"
#include "tests/integration/daemon/started_tpm.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;

struct Logged {
  simulators::Swtpm tpm = start_tpm();
  DaemonProcess daemon{{.tcti = tpm.tcti()}};

  Logged() { daemon.start(); }

  void create_agent(const std::string& name) const {
    answered(daemon.client().create_agent(agent_of(name, ::geteuid())));
  }

  api::AuditCheckpoint checkpoint() const {
    const Client client = daemon.client();
    return answered(AuditClient(client).make_checkpoint());
  }

  std::vector<audit::NoteKey> keys() const {
    const Client client = daemon.client();
    const api::AuditKeys published = answered(AuditClient(client).keys());
    std::vector<audit::NoteKey> out;
    for (const api::AuditKey& key : published.keys) {
      const auto parsed = audit::parse_verifier_key(key.verifier_key);
      BOOST_REQUIRE(parsed);
      out.push_back(*parsed);
    }
    return out;
  }

  /// The end of the log, as far as it has this reference.
  std::vector<std::string> last(const std::string& ref, std::size_t count) const {
    const Client client = daemon.client();
    const api::AuditPage page =
        answered(AuditClient(client).entries({.limit = count, .ref = ref, .is_tail = true}));
    std::vector<std::string> out;
    for (const api::AuditEntry& entry : page.entries) out.push_back(entry.json);
    return out;
  }

  /// Changes the database of a daemon that has stopped.
  void change(const std::string& statement) const {
    auto database = store::Database::open(daemon.state() / "chancery.db");
    BOOST_REQUIRE(database);
    BOOST_REQUIRE(database->execute(statement.c_str()));
  }

  void copy_state() const { std::filesystem::copy(daemon.state(), daemon.folder() / "copy"); }
  void restore_state() const {
    std::filesystem::remove_all(daemon.state());
    std::filesystem::copy(daemon.folder() / "copy", daemon.state());
    std::filesystem::permissions(daemon.state(), std::filesystem::perms::owner_all);
  }

  void expect_no_start(const std::string& message) {
    const DaemonProcess::Ending ending = daemon.start_and_fail();
    BOOST_TEST(ending.exit_status == 1);
    BOOST_TEST(ending.output.find(message) != std::string::npos, ending.output);
  }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(audit_log)

BOOST_FIXTURE_TEST_CASE(heads_that_were_kept_are_contained_in_later_ones_over_stops_and_kills, Logged) {
  create_agent("support");
  const api::AuditCheckpoint first = checkpoint();
  BOOST_TEST(daemon.stop() == 0);
  daemon.start();
  BOOST_TEST(contains(last("daemon", 1).at(0), R"("clean":true)"));
  create_agent("lookup");
  daemon.kill();
  daemon.start();
  BOOST_TEST(contains(last("daemon", 1).at(0), R"("clean":false)"));
  const api::AuditCheckpoint second = checkpoint();
  BOOST_TEST(second.size > first.size);

  const std::vector<audit::NoteKey> published = keys();
  const auto before = audit::open_checkpoint(first.note, published);
  const auto after = audit::open_checkpoint(second.note, published);
  BOOST_REQUIRE(before && after);
  const Client client = daemon.client();
  const api::AuditConsistency proof = answered(AuditClient(client).consistency(first.size, second.size));
  BOOST_TEST(audit::proves_consistency(before->tree, after->tree, proof.path));
  const api::ProvedAuditEntry entry = answered(AuditClient(client).entry(first.size));
  BOOST_REQUIRE(entry.inclusion);
  BOOST_TEST((audit::leaf_hash(as_bytes(entry.entry.json)) == entry.leaf));
  BOOST_TEST(audit::proves_inclusion(entry.leaf, first.size - 1, after->tree, entry.inclusion->path));
}

BOOST_FIXTURE_TEST_CASE(a_checkpoint_is_there_soon_after_the_start_and_after_a_stop, Logged) {
  const Client client = daemon.client();
  BOOST_TEST(eventually([&] { return AuditClient(client).checkpoint().has_value(); }));
  BOOST_TEST(metric(scrape(daemon), "chancery_audit_failures_total").value() == 0);
  BOOST_TEST(metric(scrape(daemon), "chancery_audit_log_size").value() > 0);
  BOOST_TEST(metric(scrape(daemon), "chancery_audit_checkpoint_age_seconds").has_value());
  BOOST_TEST(daemon.stop() == 0);
  auto database = store::Database::open(daemon.state() / "chancery.db");
  BOOST_REQUIRE(database);
  const auto unsigned_entries = database->number(
      "SELECT (SELECT max(sequence) FROM audit) - (SELECT max(size) FROM audit_checkpoints)");
  BOOST_TEST(unsigned_entries.value() == 0);
}

BOOST_FIXTURE_TEST_CASE(another_configuration_is_recorded, Logged) {
  BOOST_TEST(daemon.stop() == 0);
  std::ofstream(daemon.folder() / "chancery.toml", std::ios::app) << "\n# changed\n";
  daemon.start();
  const std::vector<std::string> entries = last("daemon", 2);
  BOOST_TEST(contains(entries.at(0), R"("action":"daemon.start")"), entries.at(0));
  BOOST_TEST(contains(entries.at(1), R"("action":"config.change")"), entries.at(1));
}

BOOST_FIXTURE_TEST_CASE(an_entry_that_was_changed_keeps_the_daemon_from_starting, Logged) {
  create_agent("support");
  BOOST_TEST(daemon.stop() == 0);
  change("DROP TRIGGER audit_keeps_contents; UPDATE audit SET entry = replace(entry, 'support', 'suppost')");
  expect_no_start("the audit log is not the one that was signed");
}

BOOST_FIXTURE_TEST_CASE(a_log_that_was_cut_short_keeps_the_daemon_from_starting, Logged) {
  create_agent("support");
  BOOST_TEST(daemon.stop() == 0);
  change(
      "DROP TRIGGER audit_keeps_entries; DELETE FROM audit WHERE sequence > (SELECT max(sequence) - 2 FROM audit)");
  expect_no_start("the audit log is not the one that was signed");
}

BOOST_FIXTURE_TEST_CASE(an_older_copy_is_found_out_and_said, Logged) {
  BOOST_TEST(daemon.stop() == 0);
  copy_state();
  daemon.start();
  create_agent("support");
  BOOST_TEST(daemon.stop() == 0);
  restore_state();
  daemon.start();
  const Client client = daemon.client();
  BOOST_TEST(client.budget()->state == "halted");
  const auto readiness = client.readiness();
  BOOST_REQUIRE(readiness);
  BOOST_TEST(contains(readiness->json, "audit log: it may be an older copy"), readiness->json);
  BOOST_TEST(metric(scrape(daemon), "chancery_audit_log_older_copy").value() == 1);
}

// Whoever makes an older copy fit the counter contradicts what its log says.
BOOST_FIXTURE_TEST_CASE(an_older_copy_that_was_made_to_fit_does_not_start, Logged) {
  BOOST_TEST(daemon.stop() == 0);
  copy_state();
  daemon.start();
  create_agent("support");
  BOOST_TEST(daemon.stop() == 0);
  auto present = store::Database::open(daemon.state() / "chancery.db");
  BOOST_REQUIRE(present);
  const auto value = present->number("SELECT CAST(value AS INTEGER) FROM checkpoint");
  BOOST_REQUIRE(value);
  restore_state();
  change("UPDATE checkpoint SET value = '" + std::to_string(*value) + "', intended = NULL");
  expect_no_start("the audit log says another value of the device's counter");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
