#include "daemon/runtime/readiness.hpp"

#include <chrono>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

namespace chancery::runtime {
namespace {

using namespace std::chrono_literals;
using Missing = std::vector<std::string_view>;

/// A daemon that answers what the test says, and counts what it is asked.
struct Daemon {
  Readiness readiness{{[this] { return ++looks, there; }, [this] { return ++questions, known; }}};
  Status there;
  Status known = Error{ErrorCode::kNotFound, "no such permit"};  // what a runtime is told
  int looks = 0;
  int questions = 0;
};

constexpr Error kAway{ErrorCode::kConnectFailed, "away"};
constexpr Error kNoRuntime{ErrorCode::kForbidden, "only a tool runtime may ask for this"};
const Readiness::Instant kNow{1000s};

void check(Daemon& daemon, Readiness::Instant now, const Missing& want) {
  BOOST_TEST(daemon.readiness.missing(now) == want, boost::test_tools::per_element());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(runtime_readiness)

BOOST_AUTO_TEST_CASE(a_daemon_that_knows_the_runtime_is_asked_once_whether_it_does) {
  Daemon daemon;
  for (int i = 0; i < 100; ++i) check(daemon, kNow + i * 1s, {});
  BOOST_TEST(daemon.questions == 1);
  BOOST_TEST(daemon.looks == 100);
}

BOOST_AUTO_TEST_CASE(an_answer_holds_for_a_second) {
  Daemon daemon;
  check(daemon, kNow, {});
  daemon.there = kAway;
  check(daemon, kNow + 999ms, {});
  check(daemon, kNow + 1s, {"daemon"});
  daemon.there = Status();
  check(daemon, kNow + 1999ms, {"daemon"});
  check(daemon, kNow + 2s, {});
  BOOST_TEST(daemon.looks == 3);
}

BOOST_AUTO_TEST_CASE(a_daemon_that_is_away_is_not_asked_more) {
  Daemon daemon;
  daemon.there = kAway;
  check(daemon, kNow, {"daemon"});
  BOOST_TEST(daemon.questions == 0);
}

BOOST_AUTO_TEST_CASE(registration_is_noticed_within_half_a_minute_and_asked_for_no_more_often) {
  Daemon daemon;
  daemon.known = kNoRuntime;
  for (int i = 0; i < 30; ++i) check(daemon, kNow + i * 1s, {"registration"});
  BOOST_TEST(daemon.questions == 1);
  daemon.known = Error{ErrorCode::kNotFound, "no such permit"};
  check(daemon, kNow + 30s, {});
  BOOST_TEST(daemon.questions == 2);
}

BOOST_AUTO_TEST_CASE(doubt_has_it_asked_again) {
  Daemon daemon;
  check(daemon, kNow, {});
  daemon.known = kNoRuntime;
  daemon.readiness.doubt();
  check(daemon, kNow + 30s, {"registration"});
}

BOOST_AUTO_TEST_CASE(a_daemon_that_fails_says_nothing_of_who_asks) {
  Daemon daemon;
  daemon.known = Error{ErrorCode::kStoreUnavailable, "away"};
  check(daemon, kNow, {"registration"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::runtime
