#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <latch>
#include <limits>
#include <ostream>
#include <random>
#include <thread>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/store/sqlite_ledger.hpp"
#include "daemon/store/sqlite_proof_book.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "tests/unit/daemon/store_records.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

// What every ledger and book of proofs must pass. A further implementation joins by a row in kKinds.

namespace chancery::store::testing {
namespace {

using chancery::testing::TemporaryFolder;
using enum ErrorCode;
using Outcome = Recording::Outcome;
using std::chrono::seconds;

constexpr sys_seconds kNow{seconds{1'800'000'000}};
constexpr Millionths kOne = 1'000'000;

/// Both books of one folder.
struct Books {
  std::unique_ptr<Ledger> ledger;
  std::unique_ptr<ProofBook> proofs;
};

struct BooksKind {
  const char* name;
  Books (*open)(const std::filesystem::path& folder);
};
std::ostream& operator<<(std::ostream& out, const BooksKind& kind) { return out << kind.name; }

Books open_sqlite_books(const std::filesystem::path& folder) {
  const auto journal = must(Journal::open(folder));
  return {make_sqlite_ledger(journal), make_sqlite_proof_book(journal)};
}

constexpr std::array kKinds{BooksKind{"sqlite", open_sqlite_books}};
const auto kEveryKind = boost::unit_test::data::make(kKinds);

struct OpenBooks {
  explicit OpenBooks(const BooksKind& kind) : kind_(kind), books_(kind.open(folder_.path())) {}
  Ledger& ledger() { return *books_.ledger; }
  ProofBook& proofs() { return *books_.proofs; }
  void reopen() {
    books_ = {};
    books_ = kind_.open(folder_.path());
  }

 private:
  BooksKind kind_;
  TemporaryFolder folder_;
  Books books_;
};

Thumbprint holder(const std::string& name) { return Thumbprint{sha256(as_bytes(name))}; }
Sha256Digest token(const std::string& name) { return sha256(as_bytes(name)); }

ProofUse use_of(const std::string& jti, const std::string& who = "holder", sys_seconds at = kNow) {
  return {holder(who), sha256(as_bytes(jti)), at, at + seconds{360}};
}

std::string fresh_text() {
  static std::atomic<int> count = 0;
  return "fresh " + std::to_string(++count);
}

TotalName subtree_of(const std::string& name) { return {token(name), TotalKind::kSubtree, "amount"}; }

Debit debit_of(const TotalName& total, Millionths amount, Millionths bound) {
  return {total, amount, bound, "amount", kNow + seconds{3600}};
}

Decision decision_of(std::vector<Debit> debits) {
  Decision decision;
  decision.id = fresh_text();
  decision.caller = "uid:1";
  decision.at = kNow;
  decision.proof = use_of(fresh_text(), fresh_text());
  decision.debits = std::move(debits);
  return decision;
}

Decision reservation_of(std::vector<Debit> debits, seconds life = seconds{60}) {
  Decision decision = decision_of(std::move(debits));
  decision.reserved_until = kNow + life;
  return decision;
}

Outcome outcome_of(Ledger& ledger, const Decision& decision) {
  return must(ledger.record(decision, entry("authorize"))).outcome;
}

AuditEntry entry_at(seconds later) { return entry("ended", (kNow + later).time_since_epoch().count()); }

/// Calls `work(0)` … `work(count - 1)`, each on a thread of its own, all at once.
void all_at_once(int count, const std::function<void(int)>& work) {
  std::latch start(count);
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      work(i);
    });
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ledger)

// --- proofs

BOOST_DATA_TEST_CASE(a_proof_counts_once_for_each_holder, kEveryKind, kind) {
  OpenBooks books(kind);
  BOOST_TEST((must(books.proofs().record(use_of("a"))) == ProofRecord::kRecorded));
  BOOST_TEST((must(books.proofs().record(use_of("a"))) == ProofRecord::kUsedBefore));
  BOOST_TEST((must(books.proofs().record(use_of("a", "another"))) == ProofRecord::kRecorded));
  BOOST_TEST((must(books.proofs().record(use_of("b"))) == ProofRecord::kRecorded));
}

BOOST_DATA_TEST_CASE(one_of_a_hundred_concurrent_uses_of_a_proof_wins, kEveryKind, kind) {
  OpenBooks books(kind);
  std::atomic<int> recorded = 0;
  std::atomic<int> refused = 0;
  all_at_once(100, [&](int) {
    const auto record = books.proofs().record(use_of("the one"));
    if (record && *record == ProofRecord::kRecorded) ++recorded;
    if (record && *record == ProofRecord::kUsedBefore) ++refused;
  });
  BOOST_TEST(recorded == 1);
  BOOST_TEST(refused == 99);
  books.reopen();
  BOOST_TEST((must(books.proofs().record(use_of("the one"))) == ProofRecord::kUsedBefore));
}

BOOST_DATA_TEST_CASE(a_holder_with_a_thousand_unexpired_proofs_waits_alone, kEveryKind, kind) {
  OpenBooks books(kind);
  for (std::int64_t i = 0; i < kMaxProofs; ++i) {
    BOOST_REQUIRE((must(books.proofs().record(use_of(std::to_string(i)))) == ProofRecord::kRecorded));
  }
  BOOST_TEST((must(books.proofs().record(use_of("one more"))) == ProofRecord::kTooMany));
  BOOST_TEST((must(books.proofs().record(use_of("0"))) == ProofRecord::kUsedBefore));
  BOOST_TEST((must(books.proofs().record(use_of("other", "another"))) == ProofRecord::kRecorded));
  BOOST_TEST((must(books.proofs().record(use_of("in the last second", "holder", kNow + seconds{360}))) ==
              ProofRecord::kTooMany));
  BOOST_TEST((must(books.proofs().record(use_of("thereafter", "holder", kNow + seconds{361}))) ==
              ProofRecord::kRecorded));
}

BOOST_DATA_TEST_CASE(an_unexpired_proof_is_never_forgotten, kEveryKind, kind) {
  OpenBooks books(kind);
  must(books.proofs().record(use_of("a")));
  for (const seconds later : {seconds{0}, seconds{360}, seconds{361}, seconds{600}}) {
    must(books.proofs().prune(kNow + later));
    BOOST_TEST((must(books.proofs().record(use_of("a"))) == ProofRecord::kUsedBefore));
  }
}

BOOST_DATA_TEST_CASE(a_clock_set_back_before_what_was_forgotten_halts_its_book, kEveryKind, kind) {
  OpenBooks books(kind);
  must(books.proofs().record(use_of("a")));
  must(books.proofs().prune(kNow + seconds{3600}));  // forgets all that ended ten to five minutes before
  BOOST_TEST((refusal(books.proofs().record(use_of("a"))) == kSpendingHalted));
  books.reopen();
  BOOST_TEST((refusal(books.proofs().record(use_of("a"))) == kSpendingHalted));
  const sys_seconds caught_up = kNow + seconds{3300};
  BOOST_TEST(
      (refusal(books.proofs().record(use_of("b", "holder", caught_up - seconds{1}))) == kSpendingHalted));
  BOOST_TEST((must(books.proofs().record(use_of("b", "holder", caught_up))) == ProofRecord::kRecorded));
}

// --- check and debit

BOOST_DATA_TEST_CASE(a_total_is_spent_up_to_its_bound, kEveryKind, kind) {
  OpenBooks books(kind);
  const TotalName total = subtree_of("t");
  BOOST_TEST((outcome_of(books.ledger(), decision_of({debit_of(total, 60 * kOne, 100 * kOne)})) ==
              Outcome::kRecorded));
  BOOST_TEST((outcome_of(books.ledger(), decision_of({debit_of(total, 40 * kOne, 100 * kOne)})) ==
              Outcome::kRecorded));
  const Recording over =
      must(books.ledger().record(decision_of({debit_of(total, 1, 100 * kOne)}), entry("x")));
  BOOST_TEST((over.outcome == Outcome::kOverBound));
  BOOST_TEST(over.total == 100 * kOne + 1);
  BOOST_TEST(
      (outcome_of(books.ledger(), decision_of({debit_of(total, 0, 100 * kOne)})) == Outcome::kRecorded));
  books.reopen();
  BOOST_TEST(must(books.ledger().total(total)) == 100 * kOne);
}

BOOST_DATA_TEST_CASE(totals_are_kept_apart_by_token_kind_key_and_window, kEveryKind, kind) {
  OpenBooks books(kind);
  const std::array totals{TotalName{token("t"), TotalKind::kSubtree, "amount"},
                          TotalName{token("u"), TotalKind::kSubtree, "amount"},
                          TotalName{token("t"), TotalKind::kLifetime, "amount"},
                          TotalName{token("t"), TotalKind::kSubtree, "calls"},
                          TotalName{token("t"), TotalKind::kRate, "amount", 60},
                          TotalName{token("t"), TotalKind::kRate, "amount", 120}};
  for (const TotalName& total : totals) {
    BOOST_TEST(
        (outcome_of(books.ledger(), decision_of({debit_of(total, kOne, kOne)})) == Outcome::kRecorded));
    BOOST_TEST((outcome_of(books.ledger(), decision_of({debit_of(total, 1, kOne)})) == Outcome::kOverBound));
  }
}

BOOST_DATA_TEST_CASE(a_debit_over_any_bound_changes_nothing_at_all, kEveryKind, kind) {
  OpenBooks books(kind);
  Decision decision =
      reservation_of({debit_of(subtree_of("leaf"), 60, 100), debit_of(subtree_of("root"), 60, 50)});
  decision.repeatable = RepeatableRequest{"k", token("request")};
  const Recording refused = must(books.ledger().record(decision, entry("x")));
  BOOST_TEST((refused.outcome == Outcome::kOverBound));
  BOOST_TEST(refused.debit == 1u);
  BOOST_TEST(refused.total == 60);
  BOOST_TEST(must(books.ledger().total(subtree_of("leaf"))) == 0);
  BOOST_TEST((must(books.ledger().counts()) == LedgerCounts{}));
  BOOST_TEST((must(books.proofs().record(decision.proof)) == ProofRecord::kRecorded));
}

BOOST_DATA_TEST_CASE(amounts_neither_overflow_nor_are_negative, kEveryKind, kind) {
  OpenBooks books(kind);
  constexpr Millionths kMost = std::numeric_limits<Millionths>::max();
  const TotalName total = subtree_of("t");
  BOOST_TEST((refusal(books.ledger().record(decision_of({debit_of(total, -1, kMost)}), entry("x"))) ==
              kInvalidArgument));
  BOOST_TEST(
      (outcome_of(books.ledger(), decision_of({debit_of(total, kMost, kMost)})) == Outcome::kRecorded));
  const Recording over =
      must(books.ledger().record(decision_of({debit_of(total, kMost, kMost)}), entry("x")));
  BOOST_TEST((over.outcome == Outcome::kOverBound));
  BOOST_TEST(over.total == kMost);
  BOOST_TEST(
      (outcome_of(books.ledger(), decision_of({debit_of(subtree_of("u"), 0, -1)})) == Outcome::kOverBound));
  BOOST_TEST(must(books.ledger().total(total)) == kMost);
}

BOOST_DATA_TEST_CASE(one_of_64_threads_gets_the_last_unit, kEveryKind, kind) {
  OpenBooks books(kind);
  const TotalName total = subtree_of("t");
  must(books.ledger().record(decision_of({debit_of(total, 99, 100)}), entry("x")));
  std::atomic<int> won = 0;
  std::atomic<int> lost = 0;
  all_at_once(64, [&](int) {
    const auto recording = books.ledger().record(decision_of({debit_of(total, 1, 100)}), entry("x"));
    if (recording && recording->outcome == Outcome::kRecorded) ++won;
    if (recording && recording->outcome == Outcome::kOverBound) ++lost;
  });
  BOOST_TEST(won == 1);
  BOOST_TEST(lost == 63);
  BOOST_TEST(must(books.ledger().total(total)) == 100);
}

BOOST_DATA_TEST_CASE(one_of_a_hundred_decisions_on_one_proof_is_recorded, kEveryKind, kind) {
  OpenBooks books(kind);
  const ProofUse proof = use_of("the one");
  std::atomic<int> won = 0;
  all_at_once(100, [&](int) {
    Decision decision = decision_of({debit_of(subtree_of("t"), 1, 1000)});
    decision.proof = proof;
    const auto recording = books.ledger().record(decision, entry("x"));
    if (recording && recording->outcome == Outcome::kRecorded) ++won;
  });
  BOOST_TEST(won == 1);
  BOOST_TEST(must(books.ledger().total(subtree_of("t"))) == 1);
  books.reopen();
  Decision late = decision_of({});
  late.proof = proof;
  BOOST_TEST((outcome_of(books.ledger(), late) == Outcome::kProofUsed));
}

// Two siblings, each bounded by 60, under a parent of 100: whoever asks when, they spend no more than 100, and
// what is refused is refused because it did not fit.
BOOST_DATA_TEST_CASE(siblings_never_spend_more_than_their_parent, kEveryKind, kind) {
  std::mt19937 random(20260901);
  for (int round = 0; round < 20; ++round) {
    OpenBooks books(kind);
    struct Wish {
      std::string sibling;
      Millionths amount;
    };
    std::vector<Wish> wishes;
    for (const char* const sibling : {"a", "b"}) {
      for (Millionths left = 60; left > 0;) {
        const Millionths amount = std::min<Millionths>(left, 1 + static_cast<Millionths>(random() % 20));
        wishes.push_back({sibling, amount});
        left -= amount;
      }
    }
    std::ranges::shuffle(wishes, random);
    std::atomic<Millionths> spent = 0;
    std::atomic<Millionths> smallest_refused = std::numeric_limits<Millionths>::max();
    all_at_once(static_cast<int>(wishes.size()), [&](int i) {
      const auto& [sibling, amount] = wishes[static_cast<std::size_t>(i)];
      const auto recording = books.ledger().record(decision_of({debit_of(subtree_of(sibling), amount, 60),
                                                                debit_of(subtree_of("parent"), amount, 100)}),
                                                   entry("x"));
      if (!recording) return;
      if (recording->outcome == Outcome::kRecorded) {
        spent += amount;
        return;
      }
      Millionths seen = smallest_refused;
      while (amount < seen && !smallest_refused.compare_exchange_weak(seen, amount)) continue;
    });
    BOOST_TEST(spent <= 100);
    BOOST_TEST(spent + smallest_refused > 100);
    BOOST_TEST(must(books.ledger().total(subtree_of("parent"))) == spent);
    BOOST_TEST(must(books.ledger().total(subtree_of("a"))) + must(books.ledger().total(subtree_of("b"))) ==
               spent);
  }
}

// --- reservations

BOOST_DATA_TEST_CASE(a_settled_reservation_gives_back_what_was_not_used, kEveryKind, kind) {
  OpenBooks books(kind);
  Debit calls = debit_of({token("t"), TotalKind::kSubtree, "calls"}, kOne, 10 * kOne);
  calls.parameter.clear();
  const Decision decision = reservation_of({debit_of(subtree_of("t"), 70, 100), calls});
  must(books.ledger().record(decision, entry("x")));
  BOOST_TEST(must(books.ledger().total(subtree_of("t"))) == 70);
  BOOST_TEST(must(books.ledger().counts()).reservations == 1u);
  must(books.ledger().settle(decision.id, "uid:1", {{"amount", 25}}, entry_at(seconds{1})));
  BOOST_TEST(must(books.ledger().total(subtree_of("t"))) == 25);
  BOOST_TEST(must(books.ledger().total(calls.total)) == kOne);
  BOOST_TEST(must(books.ledger().counts()).reservations == 0u);
}

BOOST_DATA_TEST_CASE(open_reservations_are_found_by_the_tokens_that_they_debit, kEveryKind, kind) {
  OpenBooks books(kind);
  const auto both =
      reservation_of({debit_of(subtree_of("root"), 1, 100), debit_of(subtree_of("leaf"), 1, 100)});
  const auto other = reservation_of({debit_of(subtree_of("root"), 1, 100)}, seconds{10});
  const auto spent = decision_of({debit_of(subtree_of("leaf"), 1, 100)});
  for (const Decision& decision : {both, other, spent}) must(books.ledger().record(decision, entry("x")));
  const std::string root = hex_encode(token("root")), leaf = hex_encode(token("leaf"));
  const auto open = [&](const std::set<std::string_view>& tokens, seconds later = seconds{0}) {
    return must(books.ledger().open_reservations(tokens, kNow + later));
  };
  BOOST_TEST(open({root}) == 2u);
  BOOST_TEST(open({leaf}) == 1u);
  BOOST_TEST(open({root, leaf}) == 2u);
  BOOST_TEST(open({}) == 0u);
  BOOST_TEST(open({hex_encode(token("stranger"))}) == 0u);
  BOOST_TEST(open({root}, seconds{9}) == 2u);
  BOOST_TEST(open({root}, seconds{10}) == 1u);  // settled in full by then, whether or not that was written
  must(books.ledger().release(both.id, "uid:1", entry_at(seconds{1})));
  BOOST_TEST(open({leaf}) == 0u);
}

BOOST_DATA_TEST_CASE(what_a_settlement_does_not_name_is_settled_in_full, kEveryKind, kind) {
  OpenBooks books(kind);
  const Decision decision = reservation_of({debit_of(subtree_of("t"), 70, 100)});
  must(books.ledger().record(decision, entry("x")));
  must(books.ledger().settle(decision.id, "uid:1", {}, entry_at(seconds{1})));
  BOOST_TEST(must(books.ledger().total(subtree_of("t"))) == 70);
}

BOOST_DATA_TEST_CASE(a_released_reservation_gives_back_all, kEveryKind, kind) {
  OpenBooks books(kind);
  const Decision decision =
      reservation_of({debit_of(subtree_of("t"), 70, 100), debit_of(subtree_of("p"), 70, 100)});
  must(books.ledger().record(decision, entry("x")));
  must(books.ledger().release(decision.id, "uid:1", entry_at(seconds{1})));
  BOOST_TEST(must(books.ledger().total(subtree_of("t"))) == 0);
  BOOST_TEST(must(books.ledger().total(subtree_of("p"))) == 0);
}

BOOST_DATA_TEST_CASE(a_reservation_is_known_whatever_has_become_of_it, kEveryKind, kind) {
  OpenBooks books(kind);
  std::array decisions{reservation_of({}), reservation_of({}), reservation_of({})};
  for (Decision& decision : decisions) {
    decision.audience = "for " + decision.id;
    must(books.ledger().record(decision, entry("x")));
  }
  BOOST_TEST(must(books.ledger().reservation_count()) == 3u);
  must(books.ledger().settle(decisions[1].id, "uid:1", {}, entry_at(seconds{1})));
  must(books.ledger().release(decisions[2].id, "uid:1", entry_at(seconds{1})));
  for (const Decision& decision : decisions) {
    const Reservation known = must(books.ledger().reservation(decision.id));
    BOOST_TEST(known.audience == decision.audience);
    BOOST_TEST(known.is_released == (decision.id == decisions[2].id));
  }
  BOOST_TEST(must(books.ledger().reservation_count()) == 1u);
  BOOST_TEST((refusal(books.ledger().reservation("unknown")) == kNotFound));
}

BOOST_DATA_TEST_CASE(nobody_settles_more_than_was_reserved_or_what_was_not, kEveryKind, kind) {
  OpenBooks books(kind);
  const Decision decision = reservation_of({debit_of(subtree_of("t"), 70, 100)});
  must(books.ledger().record(decision, entry("x")));
  const std::array<SettledAmounts, 4> wrong{SettledAmounts{{"amount", 71}}, SettledAmounts{{"amount", -1}},
                                            SettledAmounts{{"other", 1}}, SettledAmounts{{"", 0}}};
  for (const SettledAmounts& amounts : wrong) {
    const Status refused = books.ledger().settle(decision.id, "uid:1", amounts, entry_at(seconds{1}));
    BOOST_TEST((refusal(refused) == kInvalidArgument));
  }
  BOOST_TEST(must(books.ledger().counts()).reservations == 1u);
  BOOST_TEST(must(books.ledger().total(subtree_of("t"))) == 70);
}

BOOST_DATA_TEST_CASE(only_who_reserved_may_end_a_reservation_and_only_once, kEveryKind, kind) {
  OpenBooks books(kind);
  const Decision decision = reservation_of({debit_of(subtree_of("t"), 70, 100)});
  must(books.ledger().record(decision, entry("x")));
  BOOST_TEST((refusal(books.ledger().release(decision.id, "uid:2", entry_at(seconds{1}))) == kForbidden));
  BOOST_TEST((refusal(books.ledger().settle(decision.id, "uid:2", {}, entry_at(seconds{1}))) == kForbidden));
  BOOST_TEST((refusal(books.ledger().release("unknown", "uid:1", entry_at(seconds{1}))) == kNotFound));
  must(books.ledger().settle(decision.id, "uid:1", {{"amount", 70}}, entry_at(seconds{1})));
  BOOST_TEST((refusal(books.ledger().release(decision.id, "uid:1", entry_at(seconds{1}))) == kConflict));
  BOOST_TEST(must(books.ledger().total(subtree_of("t"))) == 70);
}

BOOST_DATA_TEST_CASE(one_of_many_concurrent_ends_counts, kEveryKind, kind) {
  OpenBooks books(kind);
  const Decision decision = reservation_of({debit_of(subtree_of("t"), 70, 100)});
  must(books.ledger().record(decision_of({debit_of(subtree_of("t"), 30, 100)}), entry("x")));
  must(books.ledger().record(decision, entry("x")));
  std::atomic<int> ended = 0;
  all_at_once(32, [&](int i) {
    const Status done =
        i % 2 == 0 ? books.ledger().release(decision.id, "uid:1", entry_at(seconds{1}))
                   : books.ledger().settle(decision.id, "uid:1", {{"amount", 0}}, entry_at(seconds{1}));
    if (done) ++ended;
  });
  BOOST_TEST(ended == 1);
  BOOST_TEST(must(books.ledger().total(subtree_of("t"))) == 30);
}

BOOST_DATA_TEST_CASE(an_expired_reservation_is_settled_in_full, kEveryKind, kind) {
  OpenBooks books(kind);
  const Decision decision = reservation_of({debit_of(subtree_of("t"), 70, 100)}, seconds{60});
  const Decision late = reservation_of({debit_of(subtree_of("t"), 30, 100)}, seconds{60});
  must(books.ledger().record(decision, entry("x")));
  must(books.ledger().record(late, entry("x")));
  must(books.ledger().prune(kNow + seconds{59}));
  must(books.ledger().settle(late.id, "uid:1", {{"amount", 0}}, entry_at(seconds{59})));
  BOOST_TEST((refusal(books.ledger().release(decision.id, "uid:1", entry_at(seconds{60}))) == kConflict));
  must(books.ledger().prune(kNow + seconds{60}));
  BOOST_TEST(must(books.ledger().counts()).reservations == 0u);
  BOOST_TEST((refusal(books.ledger().release(decision.id, "uid:1", entry_at(seconds{1}))) == kConflict));
  BOOST_TEST(must(books.ledger().total(subtree_of("t"))) == 70);
}

// --- repetitions

BOOST_DATA_TEST_CASE(a_repeated_request_gets_its_answer_and_is_debited_once, kEveryKind, kind) {
  OpenBooks books(kind);
  Decision decision = decision_of({debit_of(subtree_of("t"), 10, 100)});
  decision.repeatable = RepeatableRequest{"k", token("request")};
  decision.answer = "the answer";
  BOOST_TEST((outcome_of(books.ledger(), decision) == Outcome::kRecorded));
  books.reopen();
  Decision again = decision;
  again.id = fresh_text();
  again.answer = "another answer";
  const Recording repeated = must(books.ledger().record(again, entry("x")));
  BOOST_TEST((repeated.outcome == Outcome::kAnsweredBefore));
  BOOST_TEST(repeated.answer == "the answer");
  BOOST_TEST(must(books.ledger().total(subtree_of("t"))) == 10);
}

BOOST_DATA_TEST_CASE(a_key_is_its_callers_and_for_one_request, kEveryKind, kind) {
  OpenBooks books(kind);
  Decision first = decision_of({});
  first.repeatable = RepeatableRequest{"k", token("request")};
  first.answer = "the answer";
  must(books.ledger().record(first, entry("x")));
  Decision other = decision_of({debit_of(subtree_of("t"), 10, 100)});
  other.repeatable = RepeatableRequest{"k", token("another request")};
  other.answer = "another answer";
  BOOST_TEST((outcome_of(books.ledger(), other) == Outcome::kOtherRequest));
  BOOST_TEST(must(books.ledger().total(subtree_of("t"))) == 0);
  other.caller = "uid:2";
  BOOST_TEST((outcome_of(books.ledger(), other) == Outcome::kRecorded));
}

BOOST_DATA_TEST_CASE(concurrent_repetitions_are_debited_once, kEveryKind, kind) {
  OpenBooks books(kind);
  Decision decision = decision_of({debit_of(subtree_of("t"), 10, 100)});
  decision.repeatable = RepeatableRequest{"k", token("request")};
  decision.answer = "the answer";
  std::atomic<int> recorded = 0;
  std::atomic<int> repeated = 0;
  all_at_once(32, [&](int) {
    Decision mine = decision;
    mine.id = fresh_text();
    const auto recording = books.ledger().record(mine, entry("x"));
    if (recording && recording->outcome == Outcome::kRecorded) ++recorded;
    if (recording && recording->outcome == Outcome::kAnsweredBefore) ++repeated;
  });
  BOOST_TEST(recorded == 1);
  BOOST_TEST(repeated == 31);
  BOOST_TEST(must(books.ledger().total(subtree_of("t"))) == 10);
}

// --- forgetting

BOOST_DATA_TEST_CASE(totals_are_forgotten_when_nobody_can_act_under_them, kEveryKind, kind) {
  OpenBooks books(kind);
  Debit soon = debit_of(subtree_of("soon"), 10, 100);
  soon.expires_at = kNow + seconds{60};
  must(books.ledger().record(decision_of({soon, debit_of(subtree_of("late"), 10, 100)}), entry("x")));
  must(books.ledger().prune(kNow + seconds{60 + 300}));
  BOOST_TEST(must(books.ledger().total(soon.total)) == 10);
  must(books.ledger().prune(kNow + seconds{60 + 301}));
  BOOST_TEST(must(books.ledger().total(soon.total)) == 0);
  BOOST_TEST(must(books.ledger().total(subtree_of("late"))) == 10);
  // A clock that is set back now would give the units back.
  BOOST_TEST((refusal(books.ledger().record(decision_of({soon}), entry("x"))) == kSpendingHalted));
  BOOST_TEST((outcome_of(books.ledger(), decision_of({})) == Outcome::kRecorded));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::store::testing
