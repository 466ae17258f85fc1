#include <algorithm>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include <date/tz.h>

#include <chancery/time_zones.hpp>

namespace chancery {
namespace {

using std::chrono::sys_seconds;
using Stretch = TimeZones::Stretch;

constexpr const char* kDatabase = "/usr/share/zoneinfo/";  // where date/tz.h reads too

// The last line of a TZif file (RFC 8536 section 3.3) says how the zone goes on after the changes that it lists; a
// comma in it begins the rule of a yearly change. date/tz.h does not read that line and takes the last change for the
// end of all: true for a zone without such a rule only.
bool changes_every_year(const std::string& zone) {
  std::ifstream file(kDatabase + zone, std::ios::binary);
  const std::string octets{std::istreambuf_iterator<char>(file), {}};
  const std::size_t end = octets.find_last_not_of('\n');
  if (end == std::string::npos) return true;
  const std::size_t begin = octets.find_last_of('\n', end);
  return begin == std::string::npos || octets.find(',', begin) != std::string::npos;
}

std::vector<Stretch> stretches_of(const date::time_zone& zone) {
  std::vector<Stretch> stretches;
  const bool goes_on = !changes_every_year(zone.name());
  for (date::sys_info info = zone.get_info(date::sys_seconds{});; info = zone.get_info(info.end)) {
    const bool last = info.end >= date::sys_days(date::year::max() / date::December / 31);
    if (last && !goes_on) return stretches;
    stretches.push_back(
        {sys_seconds(info.begin.time_since_epoch()), sys_seconds(info.end.time_since_epoch()), info.offset});
    if (last) return stretches;
  }
}

// Doublets of the database in other forms; those in right/ count leap seconds.
bool is_doublet(const std::string& name) { return name.starts_with("posix/") || name.starts_with("right/"); }

}  // namespace

Result<TimeZones> load_system_time_zones() {
  constexpr Error kUnreadable{ErrorCode::kFileUnreadable,
                              "the system's time zones cannot be read: install the package tzdata"};
  TimeZones zones;
  try {
    for (const date::time_zone& zone : date::get_tzdb().zones) {
      if (!is_doublet(zone.name())) zones.add(zone.name(), stretches_of(zone));
    }
  } catch (const std::exception&) {
    return kUnreadable;
  }
  if (zones.size() == 0) return kUnreadable;
  return zones;
}

}  // namespace chancery
