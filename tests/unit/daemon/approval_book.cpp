// What every book of calls that wait for a person must do, with the ledger that parks them.

#include "daemon/store/approval_book.hpp"

#include <array>
#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "tests/unit/daemon/approval_books.hpp"

namespace chancery::store::testing {

using std::chrono::hours;
using enum ErrorCode;
using enum ApprovalState;
using Outcome = Recording::Outcome;

BOOST_AUTO_TEST_SUITE(approval_book)

BOOST_FIXTURE_TEST_CASE(what_is_parked_is_found_as_it_was_also_after_a_restart, ApprovalBooks) {
  const ParkedCall call = call_named("one");
  park(call);
  BOOST_TEST((must(book->find(call.id)) == call));
  reopen();
  BOOST_TEST((must(book->find(call.id)) == call));
  BOOST_TEST(must(book->pending(kNow)) == 1u);
  BOOST_TEST((refusal(book->find("none")) == kNotFound));
}

BOOST_FIXTURE_TEST_CASE(an_attempt_a_request_and_the_call_are_one_transaction, ApprovalBooks) {
  const ParkedCall call = call_named("one");
  const AuditEntry attempt = entry("tool.attempt");
  Decision decision = decision_of(call);
  decision.attempt = &attempt;
  BOOST_TEST((must(ledger->record(decision, entry("approval.request"))).outcome == Outcome::kRecorded));
  BOOST_TEST(store_counts() == 2u);
  BOOST_TEST((must(ledger->record(decision, entry("approval.request"))).outcome == Outcome::kProofUsed));
  BOOST_TEST(store_counts() == 2u);
}

BOOST_FIXTURE_TEST_CASE(the_same_subject_waits_once, ApprovalBooks) {
  const ParkedCall first = call_named("one");
  park(first);
  ParkedCall second = call_named("two");
  second.subject = first.subject;
  Decision decision = decision_of(second);
  Recording recording = must(ledger->record(decision, entry("approval.request")));
  BOOST_TEST((recording.outcome == Outcome::kWaitsAlready));
  BOOST_TEST(recording.answer == first.id);
  must(book->cancel(first.id, kNow, entry("approval.cancel")));
  // Nothing of it was kept, the use of its proof neither.
  recording = must(ledger->record(decision, entry("approval.request")));
  BOOST_TEST((recording.outcome == Outcome::kRecorded));
}

BOOST_FIXTURE_TEST_CASE(one_key_and_all_keys_have_their_bounds, ApprovalBooks) {
  for (std::uint64_t i = 0; i < kMostParkedOfKey; ++i) park(call_named("one " + std::to_string(i)));
  const ParkedCall over = call_named("over");
  BOOST_TEST((record(over).outcome == Outcome::kTooManyOfKey));
  BOOST_TEST((gates->require_room(over).error().code == ErrorCode::kOverloaded));
  BOOST_TEST(gates->require_room(call_named("other", "other")).has_value());
  for (std::uint64_t i = kMostParkedOfKey; i < kMostParked; ++i)
    park(call_named("call " + std::to_string(i), "key " + std::to_string(i)));
  BOOST_TEST(must(book->pending(kNow)) == kMostParked);
  BOOST_TEST((record(call_named("other", "other")).outcome == Outcome::kTooManyParked));
  BOOST_TEST((gates->require_room(call_named("other", "other")).error().code == ErrorCode::kOverloaded));
  ParkedCall later = over;
  later.asked_at = kEnd;
  later.expires_at = kEnd + seconds{900};
  BOOST_TEST((record(later).outcome == Outcome::kRecorded));  // who is overdue takes no place
}

BOOST_FIXTURE_TEST_CASE(who_makes_keys_below_its_own_has_one_bound_for_all_of_them, ApprovalBooks) {
  const auto below = [](const std::string& name, const std::string& key, const std::string& first) {
    ParkedCall call = call_named(name, key);
    call.first = Thumbprint{sha256(as_bytes(first))};
    return call;
  };
  for (std::uint64_t i = 0; i < kMostParkedOfFirst; ++i)
    park(below("call " + std::to_string(i), "key " + std::to_string(i), "first"));
  const ParkedCall over = below("over", "one more key", "first");
  BOOST_TEST((record(over).outcome == Outcome::kTooManyOfFirst));
  BOOST_TEST((record(below("other", "other key", "other")).outcome == Outcome::kRecorded));
  must(book->cancel(call_named("call 0").id, kNow, entry("approval.cancel")));
  BOOST_TEST((record(over).outcome == Outcome::kRecorded));
}

BOOST_FIXTURE_TEST_CASE(what_is_repeated_is_recorded_only_while_it_waits, ApprovalBooks) {
  const ParkedCall call = call_named("one");
  park(call);
  const auto repeat_at = [&](sys_seconds now) {
    Decision decision = decision_of(call);
    decision.parked = nullptr;
    decision.repeated = &call;
    decision.at = now;
    return must(ledger->record(decision, entry("approval.request"))).outcome;
  };
  std::uint64_t before = store_counts();
  BOOST_TEST((repeat_at(kEnd - seconds{1}) == Outcome::kRecorded));
  BOOST_TEST(store_counts() == before + 1);
  BOOST_TEST((repeat_at(kEnd) == Outcome::kWaitsNoLonger));
  must(book->cancel(call.id, kNow, entry("approval.cancel")));
  before = store_counts();
  BOOST_TEST((repeat_at(kNow) == Outcome::kWaitsNoLonger));
  BOOST_TEST(store_counts() == before);
}

// --- debits

namespace {

struct Possible {
  const char* name;
  TotalKind kind;
  Millionths spent;
  Millionths amount;
  Outcome want;
  Millionths total;
};
constexpr std::array kPossible{
    Possible{"room for it", TotalKind::kSubtree, 60, 40, Outcome::kRecorded, 0},
    Possible{"one too much", TotalKind::kSubtree, 61, 40, Outcome::kOverBound, 101},
    Possible{"one too much of a lifetime", TotalKind::kLifetime, 61, 40, Outcome::kOverBound, 101},
    Possible{"a rate whose window is full", TotalKind::kRate, 100, 40, Outcome::kRecorded, 0},
    Possible{"more than a rate ever lets through", TotalKind::kRate, 0, 101, Outcome::kOverBound, 101},
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(debits_must_be_possible_and_are_not_made, ApprovalBooks) {
  for (const Possible& row : kPossible) {
    const TotalName total{sha256(as_bytes(std::string_view(row.name))), row.kind, "amount"};
    ParkedCall call = call_named(row.name);
    Decision spent = decision_of(call);
    spent.id = row.name;
    spent.parked = nullptr;
    spent.debits = {{total, row.spent, 100, "amount", kNow + hours{1}}};
    BOOST_REQUIRE((must(ledger->record(spent, entry("authorize"))).outcome == Outcome::kRecorded));
    Decision decision = decision_of(call);
    decision.debits = {{total, row.amount, 100, "amount", kNow + hours{1}}};
    const Recording recording = must(ledger->record(decision, entry("approval.request")));
    BOOST_TEST((recording.outcome == row.want), row.name);
    BOOST_TEST(recording.total == row.total, row.name);
    BOOST_TEST(must(ledger->total(total)) == row.spent, row.name);
  }
}

// --- the way out of `pending`

BOOST_FIXTURE_TEST_CASE(a_call_ceases_to_wait_once, ApprovalBooks) {
  const ParkedCall call = call_named("one");
  park(call);
  const auto expire = [&](sys_seconds now) { return book->expire(call.id, now, entry("approval.expire")); };
  const auto cancel = [&](sys_seconds now) { return book->cancel(call.id, now, entry("approval.cancel")); };
  BOOST_TEST((refusal(expire(kEnd - seconds{1})) == kConflict));
  BOOST_TEST((refusal(cancel(kEnd)) == kConflict));
  BOOST_TEST((state_of(call) == kPending));
  const std::uint64_t before = store_counts();
  must(cancel(kEnd - seconds{1}));
  BOOST_TEST(store_counts() == before + 1);
  BOOST_TEST((state_of(call) == kCancelled));
  BOOST_TEST((*must(book->find(call.id)).ended_at == kEnd - seconds{1}));
  BOOST_TEST((refusal(cancel(kNow)) == kConflict));
  BOOST_TEST((refusal(expire(kEnd)) == kConflict));
  BOOST_TEST((state_of(call) == kCancelled));
  BOOST_TEST(store_counts() == before + 1);
  BOOST_TEST((refusal(book->cancel("none", kNow, entry("approval.cancel"))) == kNotFound));
}

BOOST_FIXTURE_TEST_CASE(one_of_many_who_end_a_call_at_once_has_done_it, ApprovalBooks) {
  const ParkedCall call = call_named("one");
  park(call);
  std::atomic<int> ended = 0;
  std::atomic<int> late = 0;
  {
    std::latch start(16);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 16; ++i) {
      threads.emplace_back([&] {
        start.arrive_and_wait();
        const auto done = book->cancel(call.id, kNow, entry("approval.cancel"));
        if (done) ++ended;
        if (!done && done.error().code == kConflict) ++late;
      });
    }
  }
  BOOST_TEST(ended == 1);
  BOOST_TEST(late == 15);
}

BOOST_FIXTURE_TEST_CASE(what_is_overdue_is_told_until_it_has_expired, ApprovalBooks) {
  ParkedCall first = call_named("first");
  ParkedCall second = call_named("second");
  first.expires_at = kEnd + seconds{1};
  park(first);
  park(second);
  BOOST_TEST(must(book->overdue(kEnd - seconds{1})).empty());
  const auto overdue = must(book->overdue(kEnd + seconds{1}));
  BOOST_REQUIRE(overdue.size() == 2u);
  BOOST_TEST(overdue[0].id == second.id);
  BOOST_TEST(must(book->pending(kEnd)) == 1u);
  must(book->expire(second.id, kEnd, entry("approval.expire")));
  BOOST_TEST((state_of(second) == kExpired));
  BOOST_TEST(must(book->overdue(kEnd)).empty());
}

BOOST_FIXTURE_TEST_CASE(what_waits_is_never_forgotten_and_the_rest_when_it_ended_before, ApprovalBooks) {
  const ParkedCall waits = call_named("waits");
  const ParkedCall ended = call_named("ended");
  park(waits);
  park(ended);
  must(book->cancel(ended.id, kNow, entry("approval.cancel")));
  must(book->prune(kNow));
  BOOST_TEST(must(book->find(ended.id)).id == ended.id);
  must(book->prune(kNow + seconds{1}));
  BOOST_TEST((refusal(book->find(ended.id)) == kNotFound));
  must(book->prune(kNow + hours{365 * 24}));
  BOOST_TEST(must(book->find(waits.id)).id == waits.id);
}

// --- lists

BOOST_FIXTURE_TEST_CASE(calls_are_listed_as_they_were_asked_for, ApprovalBooks) {
  std::vector<std::string> all;
  for (const char* name : {"d", "a", "c", "b"}) {
    park(call_named(name));
    all.push_back(call_named(name).id);
  }
  must(book->cancel(all[2], kNow, entry("approval.cancel")));
  using Ids = std::vector<std::string>;
  BOOST_TEST(ids() == all, boost::test_tools::per_element());
  BOOST_TEST(ids({.limit = 2, .after = all[0]}) == (Ids{all[1], all[2]}), boost::test_tools::per_element());
  BOOST_TEST(ids({.limit = 2, .after = all[1], .state = kPending}) == (Ids{all[3]}),
             boost::test_tools::per_element());
  BOOST_TEST(ids({.state = kCancelled}) == (Ids{all[2]}), boost::test_tools::per_element());
  BOOST_TEST(ids({.state = kExpired}).empty());
  BOOST_TEST((refusal(book->list({.after = "none"})) == kNotFound));
  for (const std::size_t limit : {std::size_t{0}, kMaxPage + 1})
    BOOST_TEST((refusal(book->list({.limit = limit})) == kInvalidArgument));
}

BOOST_FIXTURE_TEST_CASE(a_document_is_kept_as_long_as_the_call_waits, ApprovalBooks) {
  const ParkedCall cancelled = call_named("cancelled");
  const ParkedCall expired = call_named("expired");
  park(cancelled);
  park(expired);
  BOOST_TEST(must(book->find(cancelled.id)).document == cancelled.document);
  must(book->cancel(cancelled.id, kNow, entry("approval.cancel")));
  must(book->expire(expired.id, kEnd, entry("approval.expire")));
  for (const ParkedCall& call : {cancelled, expired}) {
    const ParkedCall found = must(book->find(call.id));
    BOOST_TEST(found.document.empty());
    BOOST_TEST(found.digest == call.digest);
  }
  auto database = must(Database::open(folder.path() / "chancery.db"));
  BOOST_TEST(must(database.number("SELECT sum(length(document)) FROM parked_calls")) == 0);
}

BOOST_FIXTURE_TEST_CASE(a_document_that_is_not_what_its_digest_says_is_damage, ApprovalBooks) {
  ParkedCall call = call_named("one");
  call.digest = digest_of("another");
  park(call);
  BOOST_TEST((refusal(book->find(call.id)) == kStoreCorrupt));
}

BOOST_FIXTURE_TEST_CASE(damage_to_one_call_keeps_no_other_from_being_seen_and_ended, ApprovalBooks) {
  ParkedCall damaged = call_named("damaged");
  damaged.digest = digest_of("another");
  const ParkedCall sound = call_named("sound");
  park(damaged);
  park(sound);
  BOOST_TEST(ids() == (std::vector<std::string>{damaged.id, sound.id}), boost::test_tools::per_element());
  BOOST_TEST(must(book->summary(damaged.id)).tool == "refund");
  for (const ParkedCall& call : must(book->overdue(kEnd)))
    must(book->expire(call.id, kEnd, entry("approval.expire")));
  BOOST_TEST((state_of(sound) == kExpired));
  BOOST_TEST((state_of(damaged) == kExpired));
}

BOOST_FIXTURE_TEST_CASE(a_row_that_cannot_be_read_is_left_out_of_what_is_overdue, ApprovalBooks) {
  const ParkedCall damaged = call_named("damaged");
  const ParkedCall sound = call_named("sound");
  park(damaged);
  park(sound);
  auto database = must(Database::open(folder.path() / "chancery.db"));
  must(database.execute("UPDATE parked_calls SET key = 'none' WHERE seq = 1"));
  const auto overdue = must(book->overdue(kEnd));
  BOOST_REQUIRE(overdue.size() == 1u);
  BOOST_TEST(overdue[0].id == sound.id);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::store::testing
