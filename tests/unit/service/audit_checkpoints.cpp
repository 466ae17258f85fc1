// What is signed of the audit log, what that vouches for, and a log that is not the one that was signed.

#include <array>
#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/audit/checkpoint.hpp"
#include "tests/unit/service/audit_fixture.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;
using rest::Response;

bool has_code(const Status& status, ErrorCode code) { return !status && status.error().code == code; }

}  // namespace

BOOST_AUTO_TEST_SUITE(audit_checkpoints)

BOOST_FIXTURE_TEST_CASE(a_checkpoint_is_a_note_that_the_logs_key_has_signed, AuditFixture) {
  const store::SignedCheckpoint made = checkpoint();
  BOOST_TEST(made.size == size());
  const auto head = audit::open_checkpoint(made.note, keys());
  BOOST_REQUIRE(head);
  BOOST_TEST(head->origin == *premises().audit.origin());
  BOOST_TEST(head->tree.size == made.size);
  BOOST_TEST((head->tree.root == *premises().books.audit->root(made.size)));
  // Nothing grew: it is the same one.
  BOOST_TEST((checkpoint(kNow + 1h) == made));
}

BOOST_FIXTURE_TEST_CASE(checkpoints_are_made_when_the_log_grew_and_the_interval_is_over, AuditFixture) {
  service::AuditDesk& desk = premises().audit;
  const auto all = [&] { return premises().books.audit->checkpoints(0, 100)->size(); };
  // The first one's key left an entry, but is under it.
  BOOST_TEST(premises().books.audit->last_checkpoint()->value().size == 2u);
  BOOST_TEST(all() == 1u);
  desk.tick(kNow);  // agents were made
  desk.tick(kNow);
  BOOST_TEST(all() == 2u);
  desk.tick(kNow + 60s);
  BOOST_TEST(all() == 2u);
  create_agent("another", 5);
  desk.tick(kNow + 61s);
  BOOST_TEST(all() == 3u);
  create_agent("one-more", 6);
  desk.tick(kNow + 62s);
  BOOST_TEST(all() == 3u);
  desk.tick(kNow + 121s);
  BOOST_TEST(all() == 4u);
}

BOOST_FIXTURE_TEST_CASE(a_log_that_contradicts_its_last_checkpoint_is_not_signed, AuditFixture) {
  checkpoint();
  change("DROP TRIGGER audit_keeps_contents; UPDATE audit SET entry = replace(entry, 'support', 'suppost')");
  create_agent("another", 5);
  const auto made = premises().audit.checkpoint(kNow, std::chrono::steady_clock::now() + 10s);
  BOOST_REQUIRE(!made);
  BOOST_TEST((made.error().code == ErrorCode::kStoreCorrupt));
}

BOOST_FIXTURE_TEST_CASE(checkpoints_of_a_key_that_was_followed_stay_good, AuditFixture) {
  const store::SignedCheckpoint before = checkpoint();
  const Response rotated = call("POST", "/v1/audit/keys/rotate", "{}", kOperatorUid);
  BOOST_REQUIRE_MESSAGE(rotated.status == 200, rotated.body);
  const Entry entry = last();
  BOOST_TEST(entry["action"] == "audit_key.rotate");
  BOOST_TEST(entry["caller.uid"] == std::to_string(kOperatorUid));
  const store::SignedCheckpoint after = checkpoint();
  BOOST_TEST(keys().size() == 2u);
  for (const store::SignedCheckpoint& each : {before, after})
    BOOST_TEST(audit::open_checkpoint(each.note, keys()).has_value());
  BOOST_TEST(check().has_value());
}

BOOST_FIXTURE_TEST_CASE(the_clock_that_goes_back_is_recorded, AuditFixture) {
  premises().audit.tick(kNow);
  const std::uint64_t before = size();
  premises().audit.tick(kNow - 3s);
  BOOST_TEST(size() == before);  // as clocks are corrected
  premises().audit.tick(kNow - 1h);
  BOOST_TEST(since(before).at(0)["action"] == "clock.back");
}

// --- what vouches for the counter's value

struct SealFixture : AuditFixture {
  [[nodiscard]] std::optional<std::uint64_t> sealed() {
    const auto value = premises().audit.sealed(kNow, std::chrono::steady_clock::now() + 10s);
    BOOST_REQUIRE(value);
    return *value;
  }
  static store::AuditEntry entry_of(const char* action) {
    store::AuditEntry entry;
    entry.at = kNow;
    entry.action = action;
    return entry;
  }
  /// As whoever has the disk does: entries that lead to the counter's present value.
  void say_present_value() {
    const std::uint64_t value = *counter().read({});
    store::AuditEntry entry = entry_of("counter.advance");
    entry.members.set("details", json::Node::object({{"value", std::to_string(value)}}));
    entry.refs.emplace_back(service::kCounterRef);
    BOOST_REQUIRE(premises().books.checkpoints->record({value}, entry));
  }
  /// And signs them with a key of his own, which he adds to those of the log.
  void sign_with_another_key() {
    simulators::MemoryBackend other;
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    const auto made = other.create({}, Algorithm::kES256, deadline);
    BOOST_REQUIRE(made);
    store::Key key;
    key.owner = store::kAudit;
    key.backend = "memory";
    key.stored = *made;
    key.created_at = kNow;
    BOOST_REQUIRE(store().add_key(key, kNow + 1h, entry_of("audit_key.rotate")));
    audit::Checkpoint head{.origin = *premises().audit.origin(), .tree = {size(), {}}};
    head.tree.root = *premises().books.audit->root(size());
    head.extensions.push_back(audit::counter_line(*counter().read({})));
    const std::string text = audit::checkpoint_text(head);
    const auto signature = other.sign(*made, as_bytes(text), deadline);
    BOOST_REQUIRE(signature);
    const auto line = audit::signature_line({head.origin, made->public_key}, *signature);
    BOOST_REQUIRE(line);
    BOOST_REQUIRE(premises().books.audit->keep(store::SignedCheckpoint{size(), kNow, text + "\n" + *line}));
  }
  /// The state in which a daemon comes that is started now.
  [[nodiscard]] service::Spending::State state_of_next() {
    store::Books& books = premises().books;
    service::Spending next({*books.ledger, *books.proofs, *books.checkpoints, *books.store, *books.audit},
                           {.counter = &counter()}, [](const char*, const Error&) {});
    next.seal_with(premises().audit);
    next.tick(kNow);
    return next.state();
  }
};

BOOST_FIXTURE_TEST_CASE(checkpoints_say_to_which_value_of_the_counter_they_belong, SealFixture) {
  const std::uint64_t value = *counter().read({});
  BOOST_TEST((sealed() == value));
  create_agent("another", 5);
  BOOST_TEST((audit::counter_of(*audit::open_checkpoint(checkpoint().note, keys())) == value));
  spending().tick(kNow + 600s);
  BOOST_TEST((sealed() == value + 1));
  BOOST_TEST((state_of_next() == service::Spending::State::kOpen));
}

BOOST_FIXTURE_TEST_CASE(entries_that_lead_to_the_present_value_open_no_older_copy, SealFixture) {
  for (int i = 0; i < 3; ++i) BOOST_REQUIRE(counter().advance({}));
  BOOST_TEST((state_of_next() == service::Spending::State::kHalted));
  say_present_value();
  BOOST_TEST(check().has_value());  // nothing in the database contradicts it
  BOOST_TEST((state_of_next() == service::Spending::State::kHalted));
}

BOOST_FIXTURE_TEST_CASE(keys_that_the_device_does_not_hold_vouch_for_nothing, SealFixture) {
  for (int i = 0; i < 3; ++i) BOOST_REQUIRE(counter().advance({}));
  say_present_value();
  sign_with_another_key();
  BOOST_TEST(check().has_value());
  BOOST_TEST(!sealed());
  BOOST_TEST((state_of_next() == service::Spending::State::kHalted));
}

BOOST_FIXTURE_TEST_CASE(a_log_without_its_checkpoints_vouches_for_nothing, SealFixture) {
  change("DROP TRIGGER audit_checkpoints_stay; DELETE FROM audit_checkpoints");
  BOOST_TEST(!sealed());
  BOOST_TEST((state_of_next() == service::Spending::State::kHalted));
}

// --- the start

struct Tampering {
  const char* name;
  const char* statement;
};
std::ostream& operator<<(std::ostream& out, const Tampering& row) { return out << row.name; }

constexpr std::array kTamperings{
    Tampering{
        "an entry was changed",
        "DROP TRIGGER audit_keeps_contents; UPDATE audit SET entry = replace(entry, 'support', 'suppost')"},
    Tampering{
        "a checkpoint was changed",
        "DROP TRIGGER audit_checkpoints_keep_notes; UPDATE audit_checkpoints SET note = replace(note, '1', '2')"},
    Tampering{"a checkpoint was moved",
              "DROP TRIGGER audit_checkpoints_keep_notes; UPDATE audit_checkpoints SET size = size - 1"},
    Tampering{
        "the log's key was exchanged",
        "UPDATE keys SET owner = 'issuer', state = 'rotating', overlap_until = 1 WHERE owner = 'audit'"},
    Tampering{"the log was renamed", "UPDATE audit_log SET origin = 'other/audit/0011223344556677'"},
    Tampering{"the counter's value was changed", "UPDATE checkpoint SET value = value + 1"},
    Tampering{"the store's value was removed", "DELETE FROM checkpoint"},
};

BOOST_DATA_TEST_CASE_F(AuditFixture, a_log_that_is_not_the_one_that_was_signed_is_not_started,
                       boost::unit_test::data::make(kTamperings), row) {
  checkpoint();
  BOOST_TEST(check().has_value());
  change(row.statement);
  BOOST_TEST(has_code(check(), ErrorCode::kStoreCorrupt));
}

struct LongLog : AuditFixture {
  LongLog() {
    store::AuditEntry entry;
    entry.at = kNow;
    entry.action = "clock.back";
    while (size() < 600) BOOST_REQUIRE(store().append_audit(entry));
    checkpoint();
    // The node above it is left as it was: the root is what was signed.
    change(
        "DROP TRIGGER audit_keeps_contents; UPDATE audit SET entry = replace(entry, 'agent.create', 'agent.retire')");
  }
};

BOOST_FIXTURE_TEST_CASE(an_entry_that_was_changed_below_a_kept_node_is_found_at_the_start, LongLog) {
  BOOST_TEST(has_code(check(), ErrorCode::kStoreCorrupt));
}

BOOST_FIXTURE_TEST_CASE(a_log_of_which_an_entry_was_changed_meanwhile_is_signed_no_more, LongLog) {
  create_agent("another", 5);
  premises().audit.tick(kNow + 61s);
  const auto made = premises().audit.checkpoint(kNow + 62s, std::chrono::steady_clock::now() + 10s);
  BOOST_REQUIRE(!made);
  BOOST_TEST((made.error().code == ErrorCode::kStoreCorrupt));
}

BOOST_FIXTURE_TEST_CASE(starts_say_whether_the_stop_was_clean_and_what_governs, AuditFixture) {
  const auto start = [&](const char* policy, std::chrono::sys_seconds now) {
    const std::uint64_t before = size();
    BOOST_REQUIRE(service::record_start(*premises().books.audit, store(), {"0.1.0", policy, now}));
    return since(before);
  };
  const auto first = start("aaaa", kNow);
  BOOST_REQUIRE_EQUAL(first.size(), 1u);
  BOOST_TEST(first[0]["action"] == "daemon.start");
  BOOST_TEST(first[0]["details.version"] == "0.1.0");
  BOOST_TEST(first[0]["details.clean"] == "");
  BOOST_TEST(first[0]["policy"] == "aaaa");
  BOOST_TEST(start("aaaa", kNow)[0]["details.clean"] == "false");
  premises().audit.close(kNow, [] {});
  const auto changed = start("bbbb", kNow);
  BOOST_REQUIRE_EQUAL(changed.size(), 2u);
  BOOST_TEST(changed[0]["details.clean"] == "true");
  BOOST_TEST(changed[1]["action"] == "config.change");
  BOOST_TEST(changed[1]["details.former"] == "aaaa");
  BOOST_TEST(changed[1]["details.present"] == "bbbb");
  BOOST_TEST(changed[1]["policy"] == "bbbb");
  BOOST_TEST(start("bbbb", kNow - 1h).back()["action"] == "clock.back");
}

BOOST_FIXTURE_TEST_CASE(a_stop_is_the_last_entry_but_the_counters_and_is_signed, AuditFixture) {
  checkpoint();  // whose key is there from now on
  premises().audit.close(kNow, [&] { premises().spending.seal(kNow); });
  BOOST_TEST(last()["action"] == "counter.advance");
  BOOST_TEST(premises().books.audit->last_checkpoint()->value().size == size());
}

BOOST_FIXTURE_TEST_CASE(the_counter_advances_when_the_log_grew_and_says_so, AuditFixture) {
  const std::uint64_t value = *counter().read({});
  spending().tick(kNow + 600s);  // agents were made
  BOOST_TEST(*counter().read({}) == value + 1);
  BOOST_TEST(last()["action"] == "counter.advance");
  BOOST_TEST(last()["details.value"] == std::to_string(value + 1));
  spending().tick(kNow + 1200s);  // nothing but that entry
  BOOST_TEST(*counter().read({}) == value + 1);
  BOOST_TEST(check().has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
