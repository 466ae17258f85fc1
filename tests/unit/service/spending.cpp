// When budgets may be spent: checkpoints of the store against the counter of a device.

#include "daemon/service/spending.hpp"

#include <filesystem>
#include <fstream>
#include <functional>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "daemon/store/sqlite.hpp"
#include "daemon/store/sqlite_books.hpp"
#include "sdk/crypto/hash.hpp"
#include "simulators/memory/memory_counter.hpp"
#include "tests/unit/daemon/store_records.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::service {
namespace {

using namespace std::chrono_literals;
using chancery::testing::TemporaryFolder;
using simulators::MemoryCounter;
using State = Spending::State;
using store::testing::entry;
using store::testing::must;

constexpr std::chrono::sys_seconds kNow{std::chrono::seconds{1'800'000'000}};
constexpr Error kAway{ErrorCode::kDeviceUnavailable, "away"};

/// A log whose signature stands in the state folder, and is copied with it.
class FolderSeal final : public CounterSeal {
 public:
  explicit FolderSeal(std::filesystem::path file) : file_(std::move(file)) {}
  Result<std::optional<std::uint64_t>> sealed(std::chrono::sys_seconds, hsm::Deadline) override {
    if (failure) return *failure;
    std::uint64_t value = 0;
    if (std::ifstream(file_) >> value) return std::optional(value);
    return std::optional<std::uint64_t>();
  }
  void expect(std::uint64_t value) override {
    expected = value;
    at_expectation();
  }
  Status seal(std::chrono::sys_seconds, hsm::Deadline) override {
    if (failure) return *failure;
    std::ofstream(file_) << expected;
    after_seal();
    return {};
  }

  std::optional<Error> failure;
  std::uint64_t expected = 0;
  std::function<void()> at_expectation = [] {};
  std::function<void()> after_seal = [] {};

 private:
  std::filesystem::path file_;
};

/// A state folder, and daemons that run on it one after the other.
struct Folder {
  void start(SpendingOptions options) {
    stop_at_once();
    journal = must(store::Journal::open(folder.path() / "state"));
    books = store::make_sqlite_books(journal);
    spending.emplace(
        SpendingBooks{*books.ledger, *books.proofs, *books.checkpoints, *books.store, *books.audit}, options,
        [this](const char*, const Error&) { ++complaints; });
    spending->seal_with(seal);
    spending->tick(now);
  }
  void start() { start({.counter = &counter}); }
  /// As `kill -9` does.
  void stop_at_once() {
    spending.reset();
    books = {};
    journal.reset();
  }
  void stop() {
    spending->seal(now);
    stop_at_once();
  }
  void tick(std::chrono::seconds later) {
    now += later;
    spending->tick(now);
  }
  /// One unit.
  void spend() {
    store::Decision decision;
    decision.caller = "uid:1";
    decision.at = now;
    decision.proof = {Thumbprint{}, sha256(as_bytes(std::to_string(++spent))), now, now + 360s};
    decision.debits = {{{}, 1, 1'000'000, "amount", now + 1h}};
    decision.debits[0].total.key = "amount";
    const auto recorded = spending->record(decision, entry("authorize"));
    BOOST_TEST((must(recorded).outcome == store::Recording::Outcome::kRecorded));
  }
  [[nodiscard]] CallContext context() const {
    CallContext context;
    context.now = now;
    return context;
  }
  [[nodiscard]] std::uint64_t value() { return must(counter.read({})); }

  /// Of a stopped daemon's folder.
  void copy_to(const char* name) const {
    std::filesystem::copy(folder.path() / "state", folder.path() / name);
  }
  void restore_from(const char* name) {
    stop_at_once();
    std::filesystem::remove_all(folder.path() / "state");
    std::filesystem::copy(folder.path() / name, folder.path() / "state");
    std::filesystem::permissions(folder.path() / "state", std::filesystem::perms::owner_all);
  }
  /// A daemon is stopped and its folder copied, another one runs on the folder, and the copy is put in its place.
  void use_behind_a_copy() {
    start();
    stop();
    copy_to("copy");
    start();
    stop();
    restore_from("copy");
  }
  void expect_open_after_a_kill() {
    stop_at_once();
    start();
    BOOST_TEST((spending->state() == State::kOpen));
  }

  TemporaryFolder folder;
  MemoryCounter counter;
  FolderSeal seal{folder.path() / "state" / "seal"};
  std::chrono::sys_seconds now = kNow;
  int complaints = 0;
  int spent = 0;
  std::shared_ptr<store::Journal> journal;
  store::Books books;
  std::optional<Spending> spending;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(checkpoints_of_spending)

BOOST_FIXTURE_TEST_CASE(a_new_store_opens_and_a_stopped_one_opens_again, Folder) {
  start();
  BOOST_TEST((spending->state() == State::kOpen));
  spend();
  stop();
  start();
  BOOST_TEST((spending->state() == State::kOpen));
}

BOOST_FIXTURE_TEST_CASE(a_killed_daemon_opens_again, Folder) {
  start();
  spend();
  expect_open_after_a_kill();
}

BOOST_FIXTURE_TEST_CASE(a_restored_copy_spends_nothing_until_it_is_accepted, Folder) {
  use_behind_a_copy();
  start();
  BOOST_TEST((spending->state() == State::kHalted));
  BOOST_TEST((spending->require_open().error().code == ErrorCode::kSpendingHalted));
  tick(1h);
  BOOST_TEST((spending->state() == State::kHalted));
  BOOST_TEST(must(spending->ledger().counts()).totals == 0u);
  BOOST_TEST((store::testing::refusal(spending->accept(context())) == ErrorCode::kInvalidArgument));
  must(spending->accept(context(), FormerTokens::kKeep));
  BOOST_TEST((spending->state() == State::kOpen));
  expect_open_after_a_kill();
}

BOOST_FIXTURE_TEST_CASE(a_copy_of_before_the_last_checkpoint_is_found_out, Folder) {
  start();
  stop_at_once();
  copy_to("copy");  // as a hot copy would be: not sealed
  start();
  stop_at_once();
  restore_from("copy");
  start();
  BOOST_TEST((spending->state() == State::kHalted));
}

BOOST_FIXTURE_TEST_CASE(a_former_store_is_found_out_also_before_its_first_checkpoint, Folder) {
  journal = must(store::Journal::open(folder.path() / "state"));
  stop_at_once();
  copy_to("copy");
  start();
  stop();
  restore_from("copy");
  start();
  BOOST_TEST((spending->state() == State::kHalted));
}

BOOST_FIXTURE_TEST_CASE(the_counter_advances_with_checkpoints_and_never_with_spending, Folder) {
  start();
  const std::uint64_t first = value();
  tick(10min);
  BOOST_TEST(value() == first);  // nothing was spent
  for (int i = 0; i < 100; ++i) spend();
  tick(1s);
  BOOST_TEST(value() == first + 1);
  for (int i = 0; i < 100; ++i) spend();
  tick(599s);
  BOOST_TEST(value() == first + 1);
  tick(1s);
  BOOST_TEST(value() == first + 2);
}

namespace {

/// A ledger before which a checkpoint comes in between: `interrupt` is called where record() begins.
class InterruptedLedger final : public store::Ledger {
 public:
  InterruptedLedger(store::Ledger& ledger, std::function<void()> interrupt)
      : ledger_(ledger), interrupt_(std::move(interrupt)) {}
  Result<store::Recording> record(const store::Decision& decision, const store::AuditEntry& audit) override {
    interrupt_();
    return ledger_.record(decision, audit);
  }
  Status settle(std::string_view id, std::string_view caller, const store::SettledAmounts& amounts,
                const store::AuditEntry& audit) override {
    return ledger_.settle(id, caller, amounts, audit);
  }
  Status release(std::string_view id, std::string_view caller, const store::AuditEntry& audit) override {
    return ledger_.release(id, caller, audit);
  }
  Status prune(std::chrono::sys_seconds now) override { return ledger_.prune(now); }
  Result<store::Millionths> total(const store::TotalName& name) override { return ledger_.total(name); }
  Result<store::Reservation> reservation(std::string_view id) override { return ledger_.reservation(id); }
  Result<store::LedgerCounts> counts() override { return ledger_.counts(); }
  Result<std::uint64_t> open_reservations(const std::set<std::string_view>& tokens,
                                          std::chrono::sys_seconds at) override {
    return ledger_.open_reservations(tokens, at);
  }
  Result<std::uint64_t> reservation_count() override { return ledger_.reservation_count(); }

 private:
  store::Ledger& ledger_;
  const std::function<void()> interrupt_;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(what_is_spent_while_a_checkpoint_is_made_is_in_the_next, Folder) {
  start();
  spend();
  InterruptedLedger ledger(*books.ledger, [this] { tick(10min); });
  spending.emplace(SpendingBooks{ledger, *books.proofs, *books.checkpoints, *books.store, *books.audit},
                   SpendingOptions{.counter = &counter}, [](const char*, const Error&) {});
  spending->tick(now);
  spend();
  const std::uint64_t before = value();
  tick(10min);
  BOOST_TEST(value() == before + 1);
}

BOOST_FIXTURE_TEST_CASE(a_first_start_whose_device_does_not_answer_begins_again, Folder) {
  counter.fail_with(kAway);  // before the counter is made
  start();
  BOOST_TEST((spending->state() == State::kWaiting));
  counter.fail_with(std::nullopt);
  counter.lose_answers(1);  // after
  tick(1s);
  BOOST_TEST((spending->state() == State::kWaiting));
  seal.failure = kAway;
  tick(1s);
  BOOST_TEST((spending->state() == State::kWaiting));
  seal.failure.reset();
  tick(1s);
  BOOST_TEST((spending->state() == State::kOpen));
  expect_open_after_a_kill();
}

BOOST_FIXTURE_TEST_CASE(a_first_start_that_is_killed_behind_the_counter_needs_the_operator, Folder) {
  counter.lose_answers(1);
  start();
  stop_at_once();
  start();
  BOOST_TEST((spending->state() == State::kHalted));
  must(spending->accept(context(), FormerTokens::kKeep));
  expect_open_after_a_kill();
}

BOOST_FIXTURE_TEST_CASE(a_copy_that_was_made_to_say_the_present_value_is_found_out, Folder) {
  use_behind_a_copy();
  journal = must(store::Journal::open(folder.path() / "state"));
  books = store::make_sqlite_books(journal);
  must(books.checkpoints->record({value()}, entry("counter.advance")));
  start();
  BOOST_TEST((spending->state() == State::kHalted));
  must(spending->accept(context(), FormerTokens::kKeep));
  expect_open_after_a_kill();
}

BOOST_FIXTURE_TEST_CASE(a_store_that_nothing_vouches_for_needs_the_operator, Folder) {
  start();
  stop();
  std::filesystem::remove(folder.path() / "state" / "seal");
  start();
  BOOST_TEST((spending->state() == State::kHalted));
}

BOOST_FIXTURE_TEST_CASE(a_daemon_that_is_killed_between_signature_and_counter_opens_again, Folder) {
  start();
  spend();
  seal.after_seal = [this] { counter.fail_with(kAway); };
  tick(10min);
  stop_at_once();
  seal.after_seal = [] {};
  counter.fail_with(std::nullopt);
  start();
  BOOST_TEST((spending->state() == State::kOpen));
}

BOOST_FIXTURE_TEST_CASE(the_counter_does_not_advance_before_the_log_is_signed, Folder) {
  start();
  const std::uint64_t before = value();
  spend();
  seal.failure = kAway;
  tick(10min);
  BOOST_TEST(value() == before);
  BOOST_TEST((spending->state() == State::kOpen));
  const std::uint64_t said = books.audit->counts().size;
  for (int i = 0; i < 10; ++i) tick(1s);
  BOOST_TEST(books.audit->counts().size == said);  // once
  tick(10min);
  BOOST_TEST((spending->state() == State::kWaiting));
  stop_at_once();
  start();
  BOOST_TEST((spending->state() == State::kWaiting));
  seal.failure.reset();
  tick(1s);
  BOOST_TEST((spending->state() == State::kOpen));
}

// Whoever signs the log in between signs for the value that its last entry says.
BOOST_FIXTURE_TEST_CASE(the_log_is_told_of_a_value_before_it_has_the_entry, Folder) {
  start();
  spend();
  std::uint64_t size = 0;
  seal.at_expectation = [&] { size = books.audit->counts().size; };
  tick(10min);
  BOOST_TEST(seal.expected == value());
  BOOST_TEST(books.audit->counts().size == size + 1);
}

BOOST_FIXTURE_TEST_CASE(a_log_that_said_a_value_does_not_begin_again, Folder) {
  start();
  stop();
  must(
      must(store::Database::open(folder.path() / "state" / "chancery.db")).execute("DELETE FROM checkpoint"));
  counter.remove();
  start();
  BOOST_TEST((spending->state() == State::kHalted));
}

BOOST_FIXTURE_TEST_CASE(the_log_is_not_to_be_signed_before_it_is_known_to_be_the_newest, Folder) {
  counter.fail_with(kAway);
  start();
  BOOST_TEST((store::testing::refusal(spending->require_known()) == ErrorCode::kSpendingHalted));
  counter.fail_with(std::nullopt);
  tick(1s);
  BOOST_TEST(spending->require_known().has_value());
  counter.fail_with(kAway);
  spend();
  tick(20min);
  BOOST_TEST((spending->state() == State::kWaiting));
  BOOST_TEST(spending->require_known().has_value());
  counter.fail_with(std::nullopt);
  spending->seal(now);
  BOOST_TEST(spending->require_known().has_value());
  start({.counter = nullptr});
  BOOST_TEST(spending->require_known().has_value());
}

BOOST_FIXTURE_TEST_CASE(another_daemon_is_noticed_when_something_is_accepted, Folder) {
  start();
  must(counter.advance({}));
  BOOST_TEST((store::testing::refusal(spending->may_accept(context(), std::nullopt)) ==
              ErrorCode::kInvalidArgument));
  BOOST_TEST((store::testing::refusal(spending->accept(context())) == ErrorCode::kInvalidArgument));
  BOOST_TEST((spending->state() == State::kHalted));
}

BOOST_FIXTURE_TEST_CASE(what_is_accepted_is_signed_before_the_counter_leaves_the_former_store_behind,
                        Folder) {
  use_behind_a_copy();
  start();
  const std::uint64_t before = value();
  seal.failure = kAway;
  must(spending->accept(context(), FormerTokens::kKeep));
  BOOST_TEST(value() == before);
  BOOST_TEST(complaints == 2);  // that it is an older copy, and this
  seal.failure.reset();
  tick(10min);
  BOOST_TEST(value() == before + 1);
  expect_open_after_a_kill();
}

BOOST_FIXTURE_TEST_CASE(nothing_is_accepted_while_the_counter_does_not_answer, Folder) {
  use_behind_a_copy();
  start();
  counter.fail_with(kAway);
  BOOST_TEST((store::testing::refusal(spending->may_accept(context(), FormerTokens::kEnd)) ==
              ErrorCode::kDeviceUnavailable));
  BOOST_TEST((store::testing::refusal(spending->accept(context(), FormerTokens::kEnd)) ==
              ErrorCode::kDeviceUnavailable));
}

BOOST_FIXTURE_TEST_CASE(another_daemon_that_advances_the_same_counter_at_once_is_noticed, Folder) {
  start();
  seal.after_seal = [this] { must(counter.advance({})); };
  spend();
  tick(10min);
  BOOST_TEST((spending->state() == State::kHalted));
}

BOOST_FIXTURE_TEST_CASE(another_daemon_on_the_same_counter_is_noticed, Folder) {
  start();
  must(counter.advance({}));
  spend();
  tick(10min);
  BOOST_TEST((spending->state() == State::kHalted));
}

BOOST_FIXTURE_TEST_CASE(a_checkpoint_whose_answer_is_lost_is_carried_on, Folder) {
  start();
  spend();
  counter.lose_answers(1);
  tick(10min);
  BOOST_TEST(complaints == 1);
  stop_at_once();  // between the counter and the store
  start();
  BOOST_TEST((spending->state() == State::kOpen));
}

BOOST_FIXTURE_TEST_CASE(a_device_that_is_away_is_waited_for, Folder) {
  counter.fail_with(kAway);
  start();
  BOOST_TEST((spending->state() == State::kWaiting));
  BOOST_TEST((spending->require_open().error().code == ErrorCode::kSpendingHalted));
  tick(1s);
  BOOST_TEST(complaints == 1);
  counter.fail_with(std::nullopt);
  tick(1s);
  BOOST_TEST((spending->state() == State::kOpen));
}

BOOST_FIXTURE_TEST_CASE(a_device_that_goes_away_stops_spending_after_two_intervals, Folder) {
  start();
  spend();
  counter.fail_with(kAway);
  tick(10min);
  BOOST_TEST((spending->state() == State::kOpen));
  tick(10min - 1s);
  BOOST_TEST((spending->state() == State::kOpen));
  tick(1s);
  BOOST_TEST((spending->state() == State::kWaiting));
  counter.fail_with(std::nullopt);
  tick(1s);
  BOOST_TEST((spending->state() == State::kOpen));
}

BOOST_FIXTURE_TEST_CASE(a_counter_that_is_gone_needs_the_operator, Folder) {
  start();
  stop();
  counter.remove();
  start();
  BOOST_TEST((spending->state() == State::kHalted));
  must(spending->accept(context(), FormerTokens::kKeep));
  BOOST_TEST((spending->state() == State::kOpen));
}

BOOST_FIXTURE_TEST_CASE(a_device_without_a_counter_spends_nothing, Folder) {
  start({.counter = nullptr});
  BOOST_TEST((spending->state() == State::kUnset));
  BOOST_TEST((spending->require_open().error().code == ErrorCode::kSpendingHalted));
  BOOST_TEST(!spending->accept(context()));
  BOOST_TEST((spending->state() == State::kUnset));
}

BOOST_FIXTURE_TEST_CASE(whoever_renounces_the_counter_spends_without, Folder) {
  start({.with_counter = false});
  BOOST_TEST((spending->state() == State::kOpen));
  stop();
  copy_to("copy");
  start({.with_counter = false});
  stop();
  restore_from("copy");
  start({.with_counter = false});
  BOOST_TEST((spending->state() == State::kOpen));
}

BOOST_FIXTURE_TEST_CASE(a_copy_that_was_marked_as_restored_is_found_out_whatever_the_counter_says, Folder) {
  for (const bool with_counter : {true, false}) {
    const SpendingOptions options{.with_counter = with_counter,
                                  .counter = with_counter ? &counter : nullptr,
                                  .restored = store::RestoredMark(folder.path() / "state")};
    start(options);
    BOOST_TEST((spending->state() == State::kOpen));
    stop();
    std::ofstream(folder.path() / "state" / "restored") << "from a backup\n";
    start(options);
    BOOST_TEST((spending->state() == State::kHalted));
    BOOST_TEST((spending->require_newest().error().code == ErrorCode::kSpendingHalted));
    must(spending->accept(context(), FormerTokens::kKeep));
    BOOST_TEST((spending->state() == State::kOpen));
    BOOST_TEST(spending->require_newest().has_value());
    stop_at_once();
    start(options);
    BOOST_TEST((spending->state() == State::kOpen));
    stop_at_once();
  }
}

BOOST_FIXTURE_TEST_CASE(an_older_copy_is_not_accepted_before_it_was_found_out, Folder) {
  use_behind_a_copy();
  counter.fail_with(kAway);
  start();
  BOOST_TEST((spending->state() == State::kWaiting));
  counter.fail_with(std::nullopt);
  BOOST_TEST((store::testing::refusal(spending->accept(context())) == ErrorCode::kInvalidArgument));
  BOOST_TEST((spending->state() == State::kHalted));
}

BOOST_FIXTURE_TEST_CASE(the_log_of_an_older_copy_has_another_name_once_it_is_accepted, Folder) {
  start();
  const std::string former = must(books.audit->origin("issuer.example"));
  must(books.audit->keep({1, kNow, former + "\n1\n"}));
  use_behind_a_copy();
  start();
  BOOST_TEST(must(books.audit->known_origin()) == former);
  must(spending->accept(context(), FormerTokens::kKeep));
  const std::string present = must(books.audit->known_origin());
  BOOST_TEST(present.starts_with("issuer.example/audit/"));
  BOOST_TEST(present != former);
  BOOST_TEST(!must(books.audit->last_checkpoint()));
  BOOST_TEST(must(books.audit->checkpoints(0, 10)).empty());
  const auto last = must(books.store->audit_tail(2));
  BOOST_TEST(last.at(0).json.find(R"("action":"log.rename")") != std::string::npos);
  BOOST_TEST(last.at(0).json.find(former) != std::string::npos);
  BOOST_TEST(last.at(1).json.find(R"("action":"budget.accept")") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_sealed_store_stays_sealed, Folder) {
  start();
  spending->seal(now);
  const std::uint64_t sealed = value();
  tick(1h);
  BOOST_TEST(value() == sealed);
  BOOST_TEST((spending->require_open().error().code == ErrorCode::kSpendingHalted));
  expect_open_after_a_kill();
}

BOOST_FIXTURE_TEST_CASE(the_operator_vouches_for_a_clock_that_was_set_back, Folder) {
  start();
  const store::ProofUse use{{}, {}, kNow, kNow + 360s};
  must(books.proofs->record(use));
  tick(240h);
  BOOST_TEST((store::testing::refusal(books.proofs->record(use)) == ErrorCode::kSpendingHalted));
  must(spending->accept(context()));
  BOOST_TEST(books.proofs->record(use).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::service
