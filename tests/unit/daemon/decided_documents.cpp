// What is kept of a request that was decided, for whoever decides the next one like it; and what lists show.

#include <array>
#include <functional>
#include <string>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/store/sqlite.hpp"
#include "tests/unit/daemon/approval_books.hpp"

namespace chancery::store::testing {

using enum ErrorCode;
using enum ApprovalState;

namespace {

/// Bob and Carol decide about refunds, which are all alike unless a test changes one.
struct Deciders : ApprovalBooks {
  Thumbprint bob = enrolled(kBob);
  Thumbprint carol = enrolled(kCarol);

  static ParkedCall refund(const std::string& name, std::uint32_t quorum = 1) {
    ParkedCall call = gated_call(name, {kBob, kCarol}, quorum);
    call.key = call.first = Thumbprint{sha256(as_bytes("the agent's"))};
    call.amounts = R"({"amount":"75"})";
    call.agent = "spiffe://example.org/agent/support";
    call.risk = "high";
    return call;
  }
  ParkedCall parked(ParkedCall call) {
    park(call);
    return call;
  }
  ApprovalState decide_as(const std::string& who, const ParkedCall& call, bool approves,
                          sys_seconds now = kNow) {
    Ballot cast = ballot(call, who, who == kBob ? bob : carol, approves);
    cast.keeps_document = true;
    return decided(cast, now);
  }
  /// What is known when this one is to be decided.
  std::optional<DecidedDocument> before(const ParkedCall& call) {
    return must(book->last_decided_like(call));
  }
  std::int64_t kept() {
    return must(
        must(Database::open(folder.path() / "chancery.db")).number("SELECT count(*) FROM decided_documents"));
  }
};

struct Unlike {
  const char* name;
  std::function<void(ParkedCall&)> change;
};
std::ostream& operator<<(std::ostream& out, const Unlike& row) { return out << row.name; }

const std::array kUnlike{
    Unlike{"of another kind", [](ParkedCall& call) { call.kind = ApprovalKind::kAction; }},
    Unlike{"for another tool", [](ParkedCall& call) { call.tool = "payout"; }},
    Unlike{"for another principal", [](ParkedCall& call) { call.principal = "user:eve@example.org"; }},
    Unlike{"by another key", [](ParkedCall& call) { call.key = Thumbprint{sha256(as_bytes("other"))}; }},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(decided_documents)

BOOST_FIXTURE_TEST_CASE(the_last_that_was_decided_is_kept_with_what_was_decided, Deciders) {
  const ParkedCall first = parked(refund("first"));
  BOOST_TEST(!before(first).has_value());
  BOOST_TEST((decide_as(kBob, first, false, kNow + seconds{5}) == kDenied));
  BOOST_TEST(must(book->find(first.id)).document.empty());
  BOOST_TEST(!before(first).has_value());  // it is no example for itself
  const ParkedCall second = parked(refund("second"));
  BOOST_TEST(
      (before(second) == DecidedDocument{first.id, false, kNow + seconds{5}, first.digest, first.document}));
  BOOST_TEST((decide_as(kBob, second, true, kNow + seconds{6}) == kApproved));
  reopen();
  const ParkedCall third = refund("third");
  BOOST_TEST(
      (before(third) == DecidedDocument{second.id, true, kNow + seconds{6}, second.digest, second.document}));
  BOOST_TEST(kept() == 1);
}

BOOST_DATA_TEST_CASE_F(Deciders, nothing_is_compared_with_one, boost::unit_test::data::make(kUnlike), row) {
  decide_as(kBob, parked(refund("first")), true);
  ParkedCall other = refund("other");
  BOOST_TEST(before(other).has_value());
  row.change(other);
  BOOST_TEST(!before(other).has_value());
}

BOOST_FIXTURE_TEST_CASE(what_is_not_decided_yet_is_not_kept, Deciders) {
  const ParkedCall call = parked(refund("one", 2));
  BOOST_TEST((decide_as(kBob, call, true) == kPending));
  BOOST_TEST(kept() == 0);
  BOOST_TEST((decide_as(kCarol, call, true) == kApproved));
  BOOST_TEST(kept() == 1);
}

BOOST_FIXTURE_TEST_CASE(what_nobody_decided_is_not_kept, Deciders) {
  const ParkedCall cancelled = parked(refund("cancelled"));
  const ParkedCall expired = parked(refund("expired"));
  must(book->cancel(cancelled.id, kNow, entry("approval.cancel")));
  must(book->expire(expired.id, kEnd, entry("approval.expire")));
  BOOST_TEST(kept() == 0);
}

BOOST_FIXTURE_TEST_CASE(nothing_is_kept_that_nobody_wants_kept, Deciders) {
  const ParkedCall call = parked(refund("one"));
  BOOST_TEST((decided(ballot(call, kBob, bob)) == kApproved));
  BOOST_TEST(kept() == 0);
}

BOOST_FIXTURE_TEST_CASE(what_is_old_is_forgotten, Deciders) {
  decide_as(kBob, parked(refund("one")), true);
  must(book->forget_decided(kNow));
  BOOST_TEST(kept() == 1);
  must(book->forget_decided(kNow + seconds{1}));
  BOOST_TEST(kept() == 0);
}

BOOST_FIXTURE_TEST_CASE(the_last_thousand_are_kept_whatever_their_times_say, Deciders) {
  auto database = must(Database::open(folder.path() / "chancery.db"));
  must(database.execute(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
      "INSERT INTO decided_documents (kind, tool, principal, key, id, state, decided_at, digest, document) "
      "SELECT 'call', 'tool ' || i, 'user:a', 'key', printf('%032d', i), 'approved', 4000000000, "
      "printf('%064d', i), '{}' FROM n"));
  decide_as(kBob, parked(refund("one")), true);
  BOOST_TEST(kept() == kMostDecidedDocuments);
  BOOST_TEST(before(refund("two")).has_value());
  BOOST_TEST(must(database.number("SELECT count(*) FROM decided_documents WHERE tool = 'tool 1'")) == 0);
  BOOST_TEST(must(database.number("SELECT count(*) FROM decided_documents WHERE tool = 'tool 2'")) == 1);
}

BOOST_FIXTURE_TEST_CASE(what_a_revoked_key_approved_is_no_example, Deciders) {
  const ParkedCall unused = parked(refund("unused"));
  decide_as(kBob, unused, true);
  must(revoke(carol));
  BOOST_TEST(before(refund("next")).has_value());
  must(revoke(bob));
  BOOST_TEST(!before(refund("next")).has_value());
}

BOOST_FIXTURE_TEST_CASE(what_a_revoked_key_approved_is_no_example_once_it_was_used, Deciders) {
  const ParkedCall used = parked(refund("used"));
  BOOST_TEST((decide_as(kBob, used, true) == kApproved));
  BOOST_TEST((use(used, kNow) == Recording::Outcome::kRecorded));
  must(enroll(kBob, fresh_approver_key(), {}, bob, bob));
  BOOST_TEST(before(refund("next")).has_value());
  must(revoke(bob));
  BOOST_TEST(!before(refund("next")).has_value());
}

BOOST_FIXTURE_TEST_CASE(one_that_was_changed_is_left_out, Deciders) {
  decide_as(kBob, parked(refund("one")), true);
  auto database = must(Database::open(folder.path() / "chancery.db"));
  must(database.execute("UPDATE decided_documents SET document = '{}'"));
  BOOST_TEST(!before(refund("two")).has_value());
}

// --- lists

BOOST_FIXTURE_TEST_CASE(amounts_are_forgotten_with_the_document_and_the_rest_stays, Deciders) {
  const ParkedCall call = parked(refund("one"));
  const auto listed = [&] { return must(book->list({})).front(); };
  BOOST_TEST(listed().amounts == call.amounts);
  BOOST_TEST((decide_as(kBob, call, true) == kApproved));
  BOOST_TEST(listed().amounts == call.amounts);
  BOOST_TEST((use(call, kNow) == Recording::Outcome::kRecorded));
  BOOST_TEST(listed().amounts.empty());
  BOOST_TEST(listed().agent == call.agent);
  BOOST_TEST(listed().risk == "high");
}

BOOST_FIXTURE_TEST_CASE(a_list_goes_both_ways_page_by_page, Deciders) {
  using Ids = std::vector<std::string>;
  Ids all;
  for (const char* name : {"d", "a", "c", "b"}) all.push_back(parked(refund(name)).id);
  decide_as(kBob, must(book->summary(all[1])), false);
  must(book->cancel(all[3], kNow, entry("approval.cancel")));
  const auto newest = [&](ApprovalQuery query) {
    query.is_newest_first = true;
    return ids(query);
  };
  BOOST_TEST(newest({}) == (Ids{all[3], all[2], all[1], all[0]}), boost::test_tools::per_element());
  BOOST_TEST(newest({.limit = 2, .after = all[2]}) == (Ids{all[1], all[0]}),
             boost::test_tools::per_element());
  BOOST_TEST(newest({.state = kPending}) == (Ids{all[2], all[0]}), boost::test_tools::per_element());
  BOOST_TEST(newest({.after = all[1], .is_settled = true}).empty());
  BOOST_TEST(newest({.is_settled = true}) == (Ids{all[3], all[1]}), boost::test_tools::per_element());
  BOOST_TEST(ids({.is_settled = true}) == (Ids{all[1], all[3]}), boost::test_tools::per_element());
  BOOST_TEST(ids({.limit = 1, .after = all[1], .is_settled = true}) == (Ids{all[3]}),
             boost::test_tools::per_element());
  BOOST_TEST((refusal(book->list({.after = "none", .is_newest_first = true})) == kNotFound));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::store::testing
