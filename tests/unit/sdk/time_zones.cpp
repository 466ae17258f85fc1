#include <array>
#include <cstdlib>
#include <ctime>
#include <ostream>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/time_zones.hpp>

// Zones as data, and those of this system against what the C library says of them.

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;
using std::chrono::hours;
using std::chrono::local_seconds;
using std::chrono::seconds;
using std::chrono::sys_seconds;

struct Instant {
  const char* name;
  std::int64_t at;
  std::optional<std::int64_t> offset;
};
std::ostream& operator<<(std::ostream& out, const Instant& row) { return out << row.name; }

// One hour ahead from 100 to 200, two from 200 to 300, then nothing until 400, behind from 400 to 500.
constexpr std::array kInstants{
    Instant{"before all", 99, std::nullopt},        Instant{"the first second", 100, 3600},
    Instant{"the last before a change", 199, 3600}, Instant{"the change", 200, 7200},
    Instant{"the last before a hole", 299, 7200},   Instant{"a hole", 300, std::nullopt},
    Instant{"after the hole", 400, -1800},          Instant{"beyond the end", 500, std::nullopt},
};

TimeZones made_zone() {
  const auto stretch = [](int begin, int end, int offset) {
    return TimeZones::Stretch{sys_seconds(seconds(begin)), sys_seconds(seconds(end)), seconds(offset)};
  };
  TimeZones zones;
  zones.add("Made/Up", {stretch(100, 200, 3600), stretch(200, 300, 7200), stretch(400, 500, -1800)});
  return zones;
}

const TimeZones& system_zones() {
  static const TimeZones zones = load_system_time_zones().value();
  return zones;
}

// What the C library makes of the same database.
local_seconds libc_local_time(const char* zone, sys_seconds at) {
  setenv("TZ", zone, 1);
  tzset();
  const std::time_t time = at.time_since_epoch().count();
  std::tm local{};
  localtime_r(&time, &local);
  return local_seconds(at.time_since_epoch() + seconds(local.tm_gmtoff));
}

constexpr std::array kZones{"Europe/Berlin",     "America/New_York",  "Australia/Lord_Howe", "Asia/Kathmandu",
                            "Africa/Casablanca", "America/Sao_Paulo", "Pacific/Apia",        "UTC"};

}  // namespace

BOOST_AUTO_TEST_SUITE(time_zones)

BOOST_DATA_TEST_CASE(a_stretch_reaches_from_its_first_second_to_before_its_end, data::make(kInstants), row) {
  const auto local = made_zone().local_time("Made/Up", sys_seconds(seconds(row.at)));
  BOOST_REQUIRE(local.has_value() == row.offset.has_value());
  if (local) BOOST_TEST(local->time_since_epoch().count() == row.at + *row.offset);
}

BOOST_AUTO_TEST_CASE(a_zone_that_is_not_there_has_no_local_time) {
  BOOST_TEST(!made_zone().local_time("Made/up", sys_seconds(seconds(150))));
  BOOST_TEST(!TimeZones().local_time("UTC", sys_seconds(seconds(150))));
}

BOOST_DATA_TEST_CASE(the_systems_zones_are_those_of_the_c_library, data::make(kZones), zone) {
  const sys_seconds end = std::chrono::sys_days(std::chrono::year(2037) / 1 / 1);
  for (sys_seconds at{seconds{0}}; at < end; at += hours(31)) {
    const auto local = system_zones().local_time(zone, at);
    BOOST_REQUIRE(local.has_value());
    BOOST_REQUIRE(local->time_since_epoch().count() == libc_local_time(zone, at).time_since_epoch().count());
  }
}

BOOST_AUTO_TEST_CASE(changes_that_the_database_does_not_list_are_not_guessed) {
  const sys_seconds far = std::chrono::sys_days(std::chrono::year(2045) / 7 / 1);
  BOOST_TEST(!system_zones().local_time("Europe/Berlin", far));
  BOOST_TEST(!system_zones().local_time("America/New_York", far));
  BOOST_TEST(
      system_zones().local_time("America/Sao_Paulo", far).has_value());  // ended its summer time in 2019
  BOOST_TEST(system_zones().local_time("UTC", far).has_value());
}

BOOST_AUTO_TEST_CASE(what_lies_beside_the_zones_is_none) {
  const sys_seconds now = std::chrono::sys_days(std::chrono::year(2026) / 7 / 1);
  for (const char* name : {"right/UTC", "posix/UTC", "zone.tab", "", "../zoneinfo/UTC"})
    BOOST_TEST(!system_zones().local_time(name, now), name);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
