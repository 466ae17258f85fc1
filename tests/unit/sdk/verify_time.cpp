#include <array>
#include <ostream>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/unit/sdk/presented_action.hpp"

// Step 8 under `time_window` and `max_rate`: when an action may be performed, and how often.

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_seconds;

sys_seconds utc(const std::chrono::year_month_day& day, seconds since_midnight) {
  return std::chrono::sys_days(day) + since_midnight;
}

constexpr std::chrono::year_month_day day(int year, unsigned month, unsigned day) {
  return {std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
}

const TimeZones& system_zones() {
  static const TimeZones zones = load_system_time_zones().value();
  return zones;
}

/// A chain of one, with a proof that fits the instant that it is to be judged for.
struct Bounded {
  IssuedChain chain;
  ActionRequest request;
  sys_seconds now;
};

Bounded bounded_by(std::vector<Constraint> constraints, sys_seconds now = kIssuedNow) {
  Claims claims = root_claims({});
  claims.authority.constraints = std::move(constraints);
  const auto at = static_cast<double>(now.time_since_epoch().count());
  claims.iat = at;
  claims.exp = at + 60;
  IssuedChain chain = issue_root(claims);
  ActionRequest request = action_for(chain);
  request.dpop->iat_past = request.dpop->iat_future = hours(24 * 365 * 100);
  return {std::move(chain), std::move(request), now};
}

Verdict verdict_of(const Bounded& bounded, const TimeZones* zones) {
  VerifyOptions options;
  options.request = &bounded.request;
  options.zones = zones;
  return verify_chain(bounded.chain.views(), bounded.chain.trust(), bounded.now, options);
}

Constraint window(std::uint8_t days, minutes from, minutes to, const char* zone = "Europe/Berlin") {
  return {"hours", TimeWindow{days, from, to, zone}};
}

constexpr std::uint8_t kWeekdays = 0b0011111;
constexpr std::uint8_t kAllDays = 0b1111111;
constexpr std::uint8_t kSunday = 0b1000000;

struct Moment {
  const char* name;
  Constraint constraint;
  sys_seconds now;
  bool open;
};
std::ostream& operator<<(std::ostream& out, const Moment& row) { return out << row.name; }

// Berlin is one hour ahead of UTC in winter and two in summer. 2026-03-29, a Sunday: 01:00 UTC, clocks jump from 02:00
// to 03:00. 2026-10-25, a Sunday: 01:00 UTC, they fall back from 03:00 to 02:00. 2026-01-16 is a Friday.
const std::array kMoments{
    Moment{"the last second before it opens", window(kWeekdays, hours(9), hours(17)),
           utc(day(2026, 1, 16), hours(8) - seconds(1)), false},
    Moment{"the first second", window(kWeekdays, hours(9), hours(17)), utc(day(2026, 1, 16), hours(8)), true},
    Moment{"the last second", window(kWeekdays, hours(9), hours(17)),
           utc(day(2026, 1, 16), hours(16) - seconds(1)), true},
    Moment{"the second at which it closes", window(kWeekdays, hours(9), hours(17)),
           utc(day(2026, 1, 16), hours(16)), false},
    Moment{"an hour earlier in summer", window(kWeekdays, hours(9), hours(17)),
           utc(day(2026, 7, 17), hours(7)), true},
    Moment{"and closed an hour earlier", window(kWeekdays, hours(9), hours(17)),
           utc(day(2026, 7, 17), hours(15)), false},
    Moment{"a Saturday", window(kWeekdays, hours(9), hours(17)), utc(day(2026, 1, 17), hours(10)), false},
    Moment{"the last second of a Friday", window(kWeekdays, hours(0), hours(24)),
           utc(day(2026, 1, 16), hours(23) - seconds(1)), true},
    Moment{"a Saturday's first second, a Friday still in UTC", window(kWeekdays, hours(0), hours(24)),
           utc(day(2026, 1, 16), hours(23)), false},
    Moment{"a Monday's first second, a Sunday still in UTC", window(kWeekdays, hours(0), hours(24)),
           utc(day(2026, 1, 18), hours(23)), true},
    Moment{"the second before a gap", window(kSunday, hours(1), hours(2)),
           utc(day(2026, 3, 29), hours(1) - seconds(1)), true},
    Moment{"a window in a gap never opens", window(kSunday, hours(2), hours(3)),
           utc(day(2026, 3, 29), hours(1)), false},
    Moment{"nor before it", window(kSunday, hours(2), hours(3)), utc(day(2026, 3, 29), hours(1) - seconds(1)),
           false},
    Moment{"the second after a gap", window(kSunday, hours(3), hours(4)), utc(day(2026, 3, 29), hours(1)),
           true},
    Moment{"an hour that happens twice, the first time", window(kSunday, hours(2), hours(3)),
           utc(day(2026, 10, 25), hours(0)), true},
    Moment{"its last second, the first time", window(kSunday, hours(2), hours(3)),
           utc(day(2026, 10, 25), hours(1) - seconds(1)), true},
    Moment{"the second time", window(kSunday, hours(2), hours(3)), utc(day(2026, 10, 25), hours(1)), true},
    Moment{"its last second, the second time", window(kSunday, hours(2), hours(3)),
           utc(day(2026, 10, 25), hours(2) - seconds(1)), true},
    Moment{"after it", window(kSunday, hours(2), hours(3)), utc(day(2026, 10, 25), hours(2)), false},
    Moment{"a zone with half hours", window(kAllDays, hours(9), hours(10), "Asia/Kolkata"),
           utc(day(2026, 1, 16), hours(3) + minutes(30)), true},
    Moment{"a zone that is not known", window(kAllDays, hours(0), hours(24), "Moon/Tycho"),
           utc(day(2026, 1, 16), hours(12)), false},
    Moment{"a time that the database does not reach", window(kAllDays, hours(0), hours(24)),
           utc(day(2060, 7, 1), hours(12)), false},
    Moment{"a window of other actions",
           {"docs.export#hours", TimeWindow{kSunday, minutes(0), minutes(1), "UTC"}},
           utc(day(2026, 1, 16), hours(12)),
           true},
    Moment{"a window of these actions",
           {"ledger.*#hours", TimeWindow{kSunday, minutes(0), minutes(1), "UTC"}},
           utc(day(2026, 1, 16), hours(12)),
           false},
};

struct Rate {
  const char* name;
  std::map<std::string, double, std::less<>> totals;
  bool within;
};
std::ostream& operator<<(std::ostream& out, const Rate& row) { return out << row.name; }

const std::array kRates{
    Rate{"below", {{"calls", 1}}, true},           Rate{"at the bound", {{"calls", 10}}, true},
    Rate{"over it", {{"calls", 11}}, false},       Rate{"none held", {}, false},
    Rate{"another key's", {{"amount", 1}}, false},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(time_and_rate)

BOOST_DATA_TEST_CASE(a_window_is_judged_by_the_local_time_of_its_zone, data::make(kMoments), row) {
  const Bounded bounded = bounded_by({row.constraint}, row.now);
  const Verdict verdict = verdict_of(bounded, &system_zones());
  BOOST_REQUIRE(verdict.valid() == row.open);
  if (row.open) return;
  BOOST_TEST((verdict.outcome() == Outcome::kCeilingExceeded));
  BOOST_TEST((verdict.denial().step == Step::kAction));
}

BOOST_AUTO_TEST_CASE(a_denial_tells_the_local_time) {
  const Bounded bounded =
      bounded_by({window(kWeekdays, hours(9), hours(17))}, utc(day(2026, 1, 17), hours(10)));
  const Denial denial = verdict_of(bounded, &system_zones()).denial();
  BOOST_TEST(denial.reason == "the action is outside of the times at which it is allowed");
  BOOST_TEST(denial.found == "sat 2026-01-17 11:00 in Europe/Berlin");
  BOOST_TEST(
      denial.expected ==
      R"(hours time_window {"days":["mon","tue","wed","thu","fri"],"from":"09:00","to":"17:00","zone":"Europe/Berlin"})");
}

BOOST_AUTO_TEST_CASE(without_zones_every_window_is_closed) {
  const Bounded bounded = bounded_by({window(kAllDays, hours(0), hours(24), "UTC")});
  BOOST_TEST(verdict_of(bounded, &system_zones()).valid());
  const Denial denial = verdict_of(bounded, nullptr).denial();
  BOOST_TEST((denial.outcome == Outcome::kCeilingExceeded));
  BOOST_TEST(denial.found == "no rules for UTC at 2027-01-15T08:00:00Z");
}

BOOST_DATA_TEST_CASE(a_rate_bounds_the_total_that_the_ledger_holds_for_the_window, data::make(kRates), row) {
  Bounded bounded = bounded_by({{"calls", RateBound{10, RateBound::Per::kMinute}}});
  bounded.request.totals.emplace_back().max_rate = row.totals;
  const Verdict verdict = verdict_of(bounded, nullptr);
  BOOST_REQUIRE(verdict.valid() == row.within);
  if (!row.within) BOOST_TEST((verdict.outcome() == Outcome::kCeilingExceeded));
}

BOOST_AUTO_TEST_CASE(totals_of_another_type_do_not_stand_in_for_a_rate) {
  Bounded bounded = bounded_by({{"calls", RateBound{10, RateBound::Per::kMinute}}});
  HeldTotals& held = bounded.request.totals.emplace_back();
  held.max_lifetime["calls"] = held.max_subtree["calls"] = 1;
  BOOST_TEST((verdict_of(bounded, nullptr).outcome() == Outcome::kCeilingExceeded));
}

BOOST_AUTO_TEST_CASE(a_rate_of_an_ancestor_without_its_totals_is_named_as_not_performed) {
  Bounded bounded = bounded_by({{"calls", RateBound{10, RateBound::Per::kMinute}}});
  SigningKey holder = SigningKey::generate(Algorithm::kES256).value();
  const Claims child = child_claims(bounded.chain.leaf(), holder.public_key());
  bounded.chain.extend(child, std::move(holder));
  ActionRequest request = action_for(bounded.chain);
  request.totals.emplace_back().max_rate["calls"] = 1;
  BOOST_TEST((verify_action(bounded.chain, request).not_performed() ==
              std::vector<std::string_view>{"custody", "ancestor_totals"}));
  request.totals.emplace_back().max_rate["calls"] = 11;
  BOOST_TEST((verify_action(bounded.chain, request).denial().hop == 0));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
