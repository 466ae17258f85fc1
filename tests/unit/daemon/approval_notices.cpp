// What is noted of requests that wait for a person, for whoever is told of it elsewhere.

#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "daemon/store/sqlite.hpp"
#include "sdk/json/reader.hpp"
#include "tests/unit/daemon/approval_books.hpp"

namespace chancery::store::testing {

using enum ApprovalState;

namespace {

/// Bob decides, and somebody is told from the start.
struct Noted : ApprovalBooks {
  Noted() { must(notices->set_last_told(0)); }

  static std::string member(const std::string& text, const char* name) {
    const auto document = json::Document::parse(text);
    BOOST_REQUIRE_MESSAGE(document, text);
    const json::Value* const value = document->root().find(name);
    BOOST_REQUIRE_MESSAGE(value != nullptr, text);
    return std::string(value->string().value_or(value->source()));
  }
  /// All that waits: states with the seconds since the beginning, of one request.
  std::vector<std::string> told_of(const ParkedCall& call) {
    std::vector<std::string> out;
    for (std::int64_t number = 0;;) {
      const auto next = must(notices->next_after(number));
      if (!next) return out;
      number = next->first;
      if (member(next->second, "id") != call.id) continue;
      const std::int64_t at = std::stoll(member(next->second, "at")) - kNow.time_since_epoch().count();
      out.push_back(member(next->second, "state") + "+" + std::to_string(at));
    }
  }
  std::uint64_t waiting() { return must(notices->waiting()); }
  std::int64_t rows() {
    return must(
        must(Database::open(folder.path() / "chancery.db")).number("SELECT count(*) FROM approval_notices"));
  }
  ParkedCall gated(const std::string& name) {
    const ParkedCall call = gated_call(name, {kBob});
    park(call);
    return call;
  }

  Thumbprint bob = enrolled(kBob);
};

using Strings = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_SUITE(approval_notices)

BOOST_FIXTURE_TEST_CASE(each_state_is_noted_once_when_it_came, Noted) {
  const ParkedCall used = gated("used");
  BOOST_TEST((decided(ballot(used, kBob, bob), kNow + seconds{5}) == kApproved));
  BOOST_TEST((use(used, kNow + seconds{9}) == Recording::Outcome::kRecorded));
  const ParkedCall lapsed = gated("lapsed");
  BOOST_TEST((decided(ballot(lapsed, kBob, bob), kNow + seconds{5}) == kApproved));
  must(book->lapse(lapsed.id, kNow + seconds{305}, entry("approval.lapse")));
  const ParkedCall denied = gated("denied");
  BOOST_TEST((decided(ballot(denied, kBob, bob, false), kNow + seconds{6}) == kDenied));
  const ParkedCall cancelled = gated("cancelled");
  must(book->cancel(cancelled.id, kNow + seconds{7}, entry("approval.cancel")));
  const ParkedCall expired = gated("expired");
  must(book->expire(expired.id, kEnd, entry("approval.expire")));

  BOOST_TEST(told_of(used) == (Strings{"pending+0", "approved+5", "used+9"}),
             boost::test_tools::per_element());
  BOOST_TEST(told_of(lapsed) == (Strings{"pending+0", "approved+5", "lapsed+305"}),
             boost::test_tools::per_element());
  BOOST_TEST(told_of(denied) == (Strings{"pending+0", "denied+6"}), boost::test_tools::per_element());
  BOOST_TEST(told_of(cancelled) == (Strings{"pending+0", "cancelled+7"}), boost::test_tools::per_element());
  BOOST_TEST(told_of(expired) == (Strings{"pending+0", "expired+900"}), boost::test_tools::per_element());
  BOOST_TEST(waiting() == 12u);
}

BOOST_FIXTURE_TEST_CASE(what_was_not_done_is_not_noted, Noted) {
  const ParkedCall call = gated("one");
  BOOST_TEST(!book->cancel(call.id, kEnd, entry("approval.cancel")));  // too late
  BOOST_TEST(!book->expire(call.id, kNow, entry("approval.expire")));  // too early
  BOOST_TEST((record(call).outcome == Recording::Outcome::kWaitsAlready));
  BOOST_TEST(told_of(call) == (Strings{"pending+0"}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(what_a_revoked_key_approved_is_noted_to_lapse, Noted) {
  const ParkedCall call = gated("one");
  BOOST_TEST((decided(ballot(call, kBob, bob)) == kApproved));
  must(revoke(bob));
  const Strings told = told_of(call);
  BOOST_REQUIRE(told.size() == 3u);
  BOOST_TEST(told.back().starts_with("lapsed+"));
}

BOOST_FIXTURE_TEST_CASE(what_was_told_is_forgotten_and_no_number_is_given_twice, Noted) {
  gated("first");
  const auto first = must(notices->next_after(0));
  BOOST_REQUIRE(first);
  must(notices->set_last_told(first->first));
  BOOST_TEST(rows() == 0);
  BOOST_TEST(waiting() == 0u);
  BOOST_TEST(must(notices->newest()) == first->first);
  reopen();
  const ParkedCall second = gated("second");
  const auto next = must(notices->next_after(first->first));
  BOOST_REQUIRE(next);
  BOOST_TEST(next->first == first->first + 1);
  BOOST_TEST(member(next->second, "id") == second.id);
  BOOST_TEST((must(notices->last_told()) == std::optional(first->first)));
}

BOOST_FIXTURE_TEST_CASE(nothing_is_noted_while_nobody_is_told, Noted) {
  gated("before");
  must(notices->set_last_told(std::nullopt));
  BOOST_TEST(rows() == 0);
  const ParkedCall meanwhile = gated("meanwhile");
  must(book->cancel(meanwhile.id, kNow, entry("approval.cancel")));
  BOOST_TEST(rows() == 0);
  BOOST_TEST(waiting() == 0u);
  BOOST_TEST(!must(notices->last_told()).has_value());
  const std::int64_t newest = must(notices->newest());
  BOOST_TEST(newest == 1);
  must(notices->set_last_told(newest));
  const ParkedCall after = gated("after");
  BOOST_TEST(told_of(after) == (Strings{"pending+0"}), boost::test_tools::per_element());
  BOOST_TEST(waiting() == 1u);
}

BOOST_FIXTURE_TEST_CASE(of_too_many_the_oldest_are_forgotten, Noted) {
  {
    auto database = must(Database::open(folder.path() / "chancery.db"));
    must(database.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4100) "
        "INSERT INTO approval_notices (request, state, at) SELECT 'r', 'pending', i FROM n"));
  }
  BOOST_TEST(rows() == 4096);
  const auto oldest = must(notices->next_after(0));
  BOOST_REQUIRE(oldest);
  BOOST_TEST(oldest->first == 5);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::store::testing
