#include "sdk/cli/time_syntax.hpp"

#include <array>
#include <cstdint>
#include <ostream>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace {

using namespace chancery::cli;

struct TimeCase {
  const char* text;
  std::int64_t seconds;  ///< -1: refused
};
std::ostream& operator<<(std::ostream& out, const TimeCase& c) { return out << '"' << c.text << '"'; }

constexpr std::array kDurations{
    TimeCase{"1", 1},
    TimeCase{"90", 90},
    TimeCase{"90s", 90},
    TimeCase{"30m", 1800},
    TimeCase{"8h", 28800},
    TimeCase{"7d", 604800},
    TimeCase{"2w", 1209600},
    TimeCase{"1h30m", 5400},
    TimeCase{"1d1h1m1s", 90061},
    TimeCase{"36600d", 3162240000},
    TimeCase{"36601d", -1},
    TimeCase{"36600d1s", -1},
    TimeCase{"", -1},
    TimeCase{"0", -1},
    TimeCase{"0s", -1},
    TimeCase{"m", -1},
    TimeCase{"30", 30},
    TimeCase{"30M", -1},
    TimeCase{"30 m", -1},
    TimeCase{" 30m", -1},
    TimeCase{"-30m", -1},
    TimeCase{"+30m", -1},
    TimeCase{"1.5h", -1},
    TimeCase{"30m1h", -1},
    TimeCase{"30m30m", -1},
    TimeCase{"1h30", -1},
    TimeCase{"99999999999999999999s", -1},
    TimeCase{"9223372036854775807w", -1},
};

constexpr std::array kInstants{
    TimeCase{"0", 0},
    TimeCase{"1772366400", 1772366400},
    TimeCase{"253402300799", 253402300799},
    TimeCase{"253402300800", -1},
    TimeCase{"1970-01-01T00:00:00Z", 0},
    TimeCase{"2026-03-01T12:00:00Z", 1772366400},
    TimeCase{"2026-03-01t12:00:00z", 1772366400},
    TimeCase{"2026-03-01 12:00:00Z", 1772366400},
    TimeCase{"2026-03-01T12:00:00.999Z", 1772366400},
    TimeCase{"2026-03-01T13:00:00+01:00", 1772366400},
    TimeCase{"2026-03-01T06:30:00-05:30", 1772366400},
    TimeCase{"2024-02-29T00:00:00Z", 1709164800},
    TimeCase{"2026-02-29T00:00:00Z", -1},
    TimeCase{"2026-13-01T00:00:00Z", -1},
    TimeCase{"2026-00-01T00:00:00Z", -1},
    TimeCase{"2026-03-01T24:00:00Z", -1},
    TimeCase{"2026-03-01T12:60:00Z", -1},
    TimeCase{"2026-03-01T12:00:60Z", -1},
    TimeCase{"2026-03-01T12:00:00", -1},
    TimeCase{"2026-03-01T12:00:00+1", -1},
    TimeCase{"2026-03-01T12:00:00+24:00", -1},
    TimeCase{"2026-03-01T12:00:00Zx", -1},
    TimeCase{"2026-03-01T12:00:00.Z", -1},
    TimeCase{"2026-03-01", -1},
    TimeCase{"2026-3-1T12:00:00Z", -1},
    TimeCase{"26-03-01T12:00:00Z", -1},
    TimeCase{"now", -1},
    TimeCase{"", -1},
    TimeCase{"-5", -1},
    TimeCase{"12.5", -1},
    TimeCase{"99999999999999999999", -1},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(time_syntax)

BOOST_DATA_TEST_CASE(lengths_of_time_are_read_or_refused, boost::unit_test::data::make(kDurations), c) {
  const auto duration = parse_duration(c.text);
  BOOST_REQUIRE(duration.has_value() == (c.seconds >= 0));
  if (duration) BOOST_TEST(duration->count() == c.seconds);
}

BOOST_DATA_TEST_CASE(instants_are_read_or_refused, boost::unit_test::data::make(kInstants), c) {
  const auto instant = parse_instant(c.text);
  BOOST_REQUIRE(instant.has_value() == (c.seconds >= 0));
  if (instant) BOOST_TEST(instant->time_since_epoch().count() == c.seconds);
}

BOOST_AUTO_TEST_SUITE_END()
