#include "daemon/service/refusal_bound.hpp"

#include <utility>

namespace chancery::service {
namespace {

constexpr std::chrono::seconds kMinute{60};
constexpr const char* kOthers = "others";

// Also when the clock was set back since.
bool is_over(std::chrono::sys_seconds begin, std::chrono::sys_seconds now) {
  return now >= begin + kMinute || now < begin;
}

}  // namespace

RefusalBound::Callers::value_type& RefusalBound::place_of(std::string_view caller) {
  const auto known = callers_.find(caller);
  if (known != callers_.end()) return *known;
  return *callers_.try_emplace(callers_.size() < kMostCallers ? std::string(caller) : kOthers).first;
}

bool RefusalBound::admit(std::string_view caller, std::chrono::sys_seconds now) {
  const std::lock_guard lock(mutex_);
  auto& [place, minute] = place_of(caller);
  if (is_over(minute.begin, now)) {
    minute.begin = now;
    minute.recorded = 0;
  }
  if (minute.recorded < (caller.empty() ? limits_.unproven : limits_.each_caller)) {
    ++minute.recorded;
    return true;
  }
  CountedRefusals& counted = minute.counted;
  if (counted.count == 0) counted = {place, 0, now, now};
  ++counted.count;
  counted.until = now;
  return false;
}

std::vector<CountedRefusals> RefusalBound::take(std::chrono::sys_seconds now) {
  const std::lock_guard lock(mutex_);
  std::vector<CountedRefusals> out;
  for (auto place = callers_.begin(); place != callers_.end();) {
    if (!is_over(place->second.begin, now)) {
      ++place;
      continue;
    }
    if (place->second.counted.count > 0) out.push_back(std::move(place->second.counted));
    place = callers_.erase(place);
  }
  return out;
}

std::vector<CountedRefusals> RefusalBound::take_all() {
  const std::lock_guard lock(mutex_);
  std::vector<CountedRefusals> out;
  for (auto& [caller, minute] : callers_) {
    if (minute.counted.count > 0) out.push_back(std::move(minute.counted));
  }
  callers_.clear();
  return out;
}

void RefusalBound::give_back(const CountedRefusals& counted) {
  const std::lock_guard lock(mutex_);
  CountedRefusals& present = place_of(counted.caller).second.counted;
  if (present.count == 0) {
    present = counted;
    return;
  }
  present.count += counted.count;
  present.since = std::min(present.since, counted.since);
}

}  // namespace chancery::service
