// Effects that wait for the connection at the same time share one commit, and nothing else.

#include "daemon/store/journal.hpp"

#include <array>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "daemon/store/sqlite_ledger.hpp"
#include "tests/unit/daemon/faulty_disk.hpp"
#include "tests/unit/daemon/store_records.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::store::testing {
namespace {

using namespace std::chrono_literals;
using chancery::testing::TemporaryFolder;
using enum ErrorCode;

constexpr Error kRefused{kForbidden, "an effect that fails"};

void await_waiting(const Journal& journal, std::size_t count) {
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (journal.waiting() < count) {
    BOOST_REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(1ms);
  }
}

/// A journal with a table of numbers, and callers that all wait for it at once.
struct Crowd {
  Crowd() { must(journal->database().execute("CREATE TABLE numbers (n INTEGER PRIMARY KEY) STRICT")); }

  Status insert(std::int64_t number) {
    CHANCERY_ASSIGN(Query query, journal->database().query("INSERT INTO numbers (n) VALUES (?)"));
    return query.bind(number).run();
  }

  bool has(std::int64_t number) {
    const auto guard = journal->hold();
    Query query = must(journal->database().query("SELECT n FROM numbers WHERE n = ?"));
    return must(query.bind(number).step());
  }

  std::int64_t count(const char* sql) {
    const auto guard = journal->hold();
    return must(journal->database().number(sql));
  }

  /// Lets `size` callers wait, then go on together. \param effect  of the caller with that number
  template <typename Effect>
  std::vector<std::optional<ErrorCode>> run_together(int size, Effect effect) {
    std::vector<std::optional<ErrorCode>> refusals(static_cast<std::size_t>(size));
    std::vector<std::jthread> callers;
    {
      const auto guard = journal->hold();
      for (int i = 0; i < size; ++i) {
        callers.emplace_back([&, i] {
          const auto done = journal->mutate(entry("effect " + std::to_string(i)), [&] { return effect(i); });
          if (!done) refusals[static_cast<std::size_t>(i)] = done.error().code;
        });
      }
      await_waiting(*journal, static_cast<std::size_t>(size));
    }
    callers.clear();
    return refusals;
  }

  TemporaryFolder folder;
  std::shared_ptr<Journal> journal = must(Journal::open(folder.path()));
};

}  // namespace

BOOST_AUTO_TEST_SUITE(journal)

BOOST_FIXTURE_TEST_CASE(callers_that_wait_together_all_have_their_effect_and_entry, Crowd) {
  const auto refusals = run_together(80, [&](int i) { return insert(i); });
  for (const auto& refusal : refusals) BOOST_TEST(!refusal.has_value());
  BOOST_TEST(count("SELECT count(*) FROM numbers") == 80);
  BOOST_TEST(count("SELECT max(sequence) FROM audit") == 80);
}

BOOST_FIXTURE_TEST_CASE(an_effect_that_fails_is_undone_alone, Crowd) {
  const auto refusals = run_together(16, [&](int i) -> Status {
    CHANCERY_TRY(insert(i));
    return i % 4 == 0 ? Status{kRefused} : Status{};
  });
  for (int i = 0; i < 16; ++i) {
    const std::optional<ErrorCode> want = i % 4 == 0 ? std::optional(kForbidden) : std::nullopt;
    BOOST_TEST((refusals[static_cast<std::size_t>(i)] == want), i);
  }
  BOOST_TEST(count("SELECT count(*) FROM numbers WHERE n % 4 = 0") == 0);
  BOOST_TEST(count("SELECT count(*) FROM numbers") == 12);
  BOOST_TEST(count("SELECT count(*) FROM audit") == 12);
  BOOST_TEST(count("SELECT max(sequence) FROM audit") == 12);  // without gaps
}

// SQLite does so by itself when the disk is full.
BOOST_FIXTURE_TEST_CASE(a_transaction_that_is_rolled_back_is_an_error_to_everybody_in_it, Crowd) {
  const auto refusals = run_together(8, [&](int i) -> Status {
    CHANCERY_TRY(insert(i));
    return i == 5 ? journal->database().execute("ROLLBACK") : Status{};
  });
  for (int i = 0; i < 8; ++i) BOOST_TEST(has(i) == !refusals[static_cast<std::size_t>(i)].has_value(), i);
  BOOST_TEST(refusals[5].has_value());
}

// An effect may rest on what another of the batch did.
BOOST_AUTO_TEST_CASE(a_commit_that_fails_is_an_error_to_everybody_in_it_whatever_they_found) {
  FaultyDisk disk;
  Crowd crowd;
  disk.set(DiskFault::kSyncFails);
  const auto refusals = crowd.run_together(8, [&](int) -> Status {
    const Status inserted = crowd.insert(1);
    return inserted ? inserted : Status{kRefused};
  });
  for (const auto& refusal : refusals) BOOST_TEST((refusal == kStoreUnavailable));
  disk.set(DiskFault::kNone);
  BOOST_TEST(crowd.count("SELECT count(*) FROM numbers") == 0);
}

// Two requests under one key share a commit: the second finds the first's answer in it.
BOOST_AUTO_TEST_CASE(an_answer_that_was_not_kept_is_given_to_nobody) {
  FaultyDisk disk;
  const TemporaryFolder folder;
  const auto journal = must(Journal::open(folder.path()));
  const auto ledger = make_sqlite_ledger(journal);
  Decision decision;
  decision.caller = "uid:1";
  decision.at = sys_seconds{1000s};
  decision.proof = {Thumbprint{}, Sha256Digest{}, decision.at, decision.at + 360s};
  decision.repeatable = RepeatableRequest{"the key", Sha256Digest{}};
  decision.answer = "permit";
  const auto ask_together = [&] {
    std::array<std::optional<Result<Recording>>, 4> answers;
    std::vector<std::jthread> callers;
    {
      const auto guard = journal->hold();
      for (auto& answer : answers)
        callers.emplace_back([&] { answer = ledger->record(decision, entry("authorize")); });
      await_waiting(*journal, answers.size());
    }
    callers.clear();
    return answers;
  };
  disk.set(DiskFault::kSyncFails);
  for (const auto& answer : ask_together()) BOOST_TEST((refusal(*answer) == kStoreUnavailable));
  disk.set(DiskFault::kNone);
  int recorded = 0;
  for (const auto& answer : ask_together()) {
    if (must(*answer).outcome == Recording::Outcome::kRecorded) ++recorded;
  }
  BOOST_TEST(recorded == 1);
}

BOOST_FIXTURE_TEST_CASE(an_effect_that_throws_fails_alone_and_nobody_waits_for_it, Crowd) {
  const auto refusals = run_together(100, [&](int i) -> Status {
    if (i % 10 == 0) throw std::bad_alloc();
    return insert(i);
  });
  for (int i = 0; i < 100; ++i) {
    const std::optional<ErrorCode> want = i % 10 == 0 ? std::optional(kInternal) : std::nullopt;
    BOOST_TEST((refusals[static_cast<std::size_t>(i)] == want), i);
  }
  BOOST_TEST(count("SELECT count(*) FROM numbers") == 90);
  BOOST_TEST((refusal(journal->write([]() -> Status { throw std::bad_alloc(); })) == kInternal));
  must(journal->write([&] { return insert(0); }));
}

BOOST_FIXTURE_TEST_CASE(what_audit_entries_quote_is_redacted, Crowd) {
  journal->redact_with(std::make_shared<const telemetry::Redactor>());
  AuditEntry audit;
  audit.action = "agent.retire";
  audit.members.set("details", json::Node::object({{"reason", "ghp_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij"}}));
  must(journal->mutate(audit, [&] { return insert(1); }));
  BOOST_TEST(count("SELECT count(*) FROM audit WHERE entry LIKE '%ghp_%'") == 0);
  BOOST_TEST(count("SELECT count(*) FROM audit WHERE entry LIKE '%\"reason\":\"[redacted]\"%'") == 1);
}

BOOST_FIXTURE_TEST_CASE(nothing_is_changed_without_an_audit_entry_unless_it_is_meant, Crowd) {
  BOOST_TEST((refusal(journal->mutate(AuditEntry{}, [&] { return insert(1); })) == kInvalidArgument));
  must(journal->write([&] { return insert(2); }));
  BOOST_TEST(count("SELECT sum(n) FROM numbers") == 2);
  BOOST_TEST(count("SELECT count(*) FROM audit") == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::store::testing
