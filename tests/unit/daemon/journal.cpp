// Effects that wait for the connection at the same time share one commit, and nothing else.

#include "daemon/store/journal.hpp"

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "tests/unit/daemon/store_records.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::store::testing {
namespace {

using namespace std::chrono_literals;
using chancery::testing::TemporaryFolder;
using enum ErrorCode;

constexpr Error kRefused{kForbidden, "an effect that fails"};

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
      const auto deadline = std::chrono::steady_clock::now() + 30s;
      while (journal->waiting() < static_cast<std::size_t>(size)) {
        BOOST_REQUIRE(std::chrono::steady_clock::now() < deadline);
        std::this_thread::sleep_for(1ms);
      }
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

BOOST_FIXTURE_TEST_CASE(nothing_is_changed_without_an_audit_entry_unless_it_is_meant, Crowd) {
  BOOST_TEST((refusal(journal->mutate(AuditEntry{}, [&] { return insert(1); })) == kInvalidArgument));
  must(journal->write([&] { return insert(2); }));
  BOOST_TEST(count("SELECT sum(n) FROM numbers") == 2);
  BOOST_TEST(count("SELECT count(*) FROM audit") == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::store::testing
