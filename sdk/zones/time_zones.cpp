#include <algorithm>
#include <utility>

#include <chancery/time_zones.hpp>

namespace chancery {

void TimeZones::add(std::string name, std::vector<Stretch> stretches) {
  zones_.insert_or_assign(std::move(name), std::move(stretches));
}

std::optional<std::chrono::local_seconds> TimeZones::local_time(std::string_view zone,
                                                                std::chrono::sys_seconds at) const {
  const auto found = zones_.find(zone);
  if (found == zones_.end()) return std::nullopt;
  const auto& stretches = found->second;
  const auto after = std::ranges::upper_bound(stretches, at, {}, &Stretch::begin);
  if (after == stretches.begin()) return std::nullopt;
  const Stretch& stretch = *std::prev(after);
  if (at >= stretch.end) return std::nullopt;
  return std::chrono::local_seconds(at.time_since_epoch() + stretch.offset);
}

}  // namespace chancery
