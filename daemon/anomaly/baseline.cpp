#include "daemon/anomaly/baseline.hpp"

#include <algorithm>
#include <cmath>

#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::anomaly {
namespace {

using std::chrono::sys_seconds;

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kWindow = 600;
constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 86'400;

// How many of the last minutes and windows count.
constexpr std::uint32_t kMinutes = 60;
constexpr std::uint32_t kWindows = 36;

// Below these, chance says more than any multiple.
constexpr std::uint32_t kLeastMinutes = 10;  // with calls, before a rate is known
constexpr std::uint32_t kLeastWindows = 3;   // likewise
constexpr std::uint32_t kLeastCallsAMinute = 10;
constexpr std::uint32_t kLeastCalls = 20;  // in a window
constexpr std::uint32_t kLeastDenials = 5;
constexpr double kLeastShare = 0.01;
constexpr double kLeastMicroseconds = 1000;
constexpr std::uint32_t kLeastDays = 7;

std::int64_t seconds_of(sys_seconds now) { return now.time_since_epoch().count(); }

// A share of 0.2 is twice one of 0.1, whatever binary fractions make of them.
bool reaches(double measured, double usual, double multiple) {
  return measured >= usual * multiple * (1 - 1e-9);
}

std::uint64_t name_hash(std::string_view name) {
  const Sha256Digest digest = sha256(as_bytes(name));
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) value = value << 8 | digest[i];
  return value;
}

}  // namespace

std::string_view kind_name(Kind kind) noexcept { return kKindNames[static_cast<std::size_t>(kind)]; }

std::optional<Kind> kind_of(std::string_view name) noexcept {
  const auto found = std::ranges::find(kKindNames, name);
  if (found == kKindNames.end()) return std::nullopt;
  return static_cast<Kind>(found - kKindNames.begin());
}

void Baseline::Mean::add(double sample, std::uint32_t memory) {
  samples = std::min(samples + 1, memory);
  value += (sample - value) / samples;
}

std::vector<Finding> Baseline::note(const Use& use, sys_seconds now, const Rules& rules) {
  if (!first_) first_ = seconds_of(now);
  turn_minute(seconds_of(now) / kMinute, rules);
  turn_window(seconds_of(now) / kWindow, rules);
  ++minute_calls_;
  ++calls_;
  denials_ += use.is_denied ? 1 : 0;
  took_ += static_cast<double>(use.took.count());

  const bool is_told = has_learned(now, rules);
  Findings found;
  if (is_told) measure(found, now, rules);
  for (const std::string& scope : use.scopes) meet(scopes_, scope, Kind::kNewScope, is_told, found);
  for (const std::string& resource : use.resources)
    meet(resources_, resource, Kind::kNewResource, is_told, found);
  if (!use.host.empty()) meet(hosts_, use.host, Kind::kNewHost, is_told, found);
  meet_hour(now, is_told, found, rules);
  return found;
}

bool Baseline::has_learned(sys_seconds now, const Rules& rules) const {
  return seconds_of(now) - *first_ >= rules.learning.count();
}

// Learns the minute that is over.
void Baseline::turn_minute(std::int64_t minute, const Rules& rules) {
  if (minute == minute_) return;
  if (minute_calls_ > 0) {
    const bool is_known = calls_a_minute_.samples >= kLeastMinutes;
    const double most = is_known ? calls_a_minute_.value * rules.multiple : minute_calls_;
    calls_a_minute_.add(std::min<double>(minute_calls_, most), kMinutes);
  }
  minute_ = minute;
  minute_calls_ = 0;
}

void Baseline::turn_window(std::int64_t window, const Rules& rules) {
  if (window == window_) return;
  if (calls_ >= kLeastCalls) {
    const bool is_known = denial_share_.samples >= kLeastWindows;
    const double share = static_cast<double>(denials_) / calls_;
    const double took = took_ / calls_;
    const double most_share = std::max(denial_share_.value, kLeastShare) * rules.multiple;
    const double most_time = std::max(latency_.value, kLeastMicroseconds) * rules.multiple;
    denial_share_.add(is_known ? std::min(share, most_share) : share, kWindows);
    latency_.add(is_known ? std::min(took, most_time) : took, kWindows);
  }
  window_ = window;
  calls_ = denials_ = 0;
  took_ = 0;
}

void Baseline::measure(Findings& out, sys_seconds now, const Rules& rules) {
  const bool knows_rate = calls_a_minute_.samples >= kLeastMinutes && minute_calls_ >= kLeastCallsAMinute;
  if (knows_rate && reaches(minute_calls_, calls_a_minute_.value, rules.multiple)) {
    tell(out, {Kind::kCallRate, static_cast<double>(minute_calls_), calls_a_minute_.value}, now, rules);
  }
  if (denial_share_.samples < kLeastWindows || calls_ < kLeastCalls) return;
  const double share = static_cast<double>(denials_) / calls_;
  if (denials_ >= kLeastDenials &&
      reaches(share, std::max(denial_share_.value, kLeastShare), rules.multiple)) {
    tell(out, {Kind::kDenialRate, share, denial_share_.value}, now, rules);
  }
  const double took = took_ / calls_;
  if (reaches(took, std::max(latency_.value, kLeastMicroseconds), rules.multiple)) {
    tell(out, {Kind::kLatency, took, latency_.value}, now, rules);
  }
}

// Of one kind, once in a while.
void Baseline::tell(Findings& out, const Finding& finding, sys_seconds now, const Rules& rules) {
  std::int64_t& told = told_[static_cast<std::size_t>(finding.kind)];
  if (told != 0 && seconds_of(now) - told < rules.quiet.count()) return;
  told = seconds_of(now);
  out.push_back(finding);
}

// Each name is new once.
void Baseline::meet(Names& known, std::string_view name, Kind kind, bool is_told, Findings& out) {
  if (known.size() >= kMostNames || !known.insert(name_hash(name)).second) return;
  if (is_told) out.push_back({kind, 0, 0, std::string(name)});
}

// An hour is like those beside it: who begins at nine may come at eight.
void Baseline::meet_hour(sys_seconds now, bool is_told, Findings& out, const Rules& rules) {
  const std::int64_t day = seconds_of(now) / kDay;
  const auto hour = static_cast<std::size_t>(seconds_of(now) % kDay / kHour);
  if (day != day_) {
    day_ = day;
    ++days_;
    hours_of_day_ = 0;
  }
  const bool is_unknown = hours_[hour] == 0 && hours_[(hour + 23) % 24] == 0 && hours_[(hour + 1) % 24] == 0;
  if (is_told && days_ > kLeastDays && is_unknown) {
    tell(out, {Kind::kTimeOfDay, 0, 0, std::to_string(hour)}, now, rules);
  }
  if ((hours_of_day_ >> hour & 1) != 0) return;
  hours_of_day_ |= std::uint32_t{1} << hour;
  ++hours_[hour];
}

namespace {

json::Node node_of(const std::unordered_set<std::uint64_t>& names) {
  std::vector<std::uint64_t> sorted(names.begin(), names.end());
  std::ranges::sort(sorted);
  json::Node array = json::Node::array();
  for (std::uint64_t name : sorted) {
    Bytes octets(sizeof name);
    for (std::size_t i = octets.size(); i-- > 0; name >>= 8) octets[i] = static_cast<std::uint8_t>(name);
    array.push_back(hex_encode(octets));
  }
  return array;
}

bool read_names(const json::Value* value, std::unordered_set<std::uint64_t>& out) {
  if (value == nullptr || !value->is(json::Value::Kind::kArray)) return false;
  for (const json::Value& item : value->items()) {
    const auto octets = hex_decode(item.string().value_or(""));
    if (!octets || octets->size() != sizeof(std::uint64_t)) return false;
    std::uint64_t name = 0;
    for (const std::uint8_t octet : *octets) name = name << 8 | octet;
    out.insert(name);
  }
  return true;
}

std::optional<double> number_of(const json::Value& object, std::string_view name) {
  const json::Value* const value = object.find(name);
  const auto number = value == nullptr ? std::nullopt : value->number();
  return number && *number >= 0 && *number < 1e15 ? number : std::nullopt;
}

}  // namespace

json::Node Baseline::to_node() const {
  const auto mean = [](const Mean& of) { return json::Node::array({of.value, of.samples}); };
  json::Node hours = json::Node::array();
  for (const std::uint32_t hour : hours_) hours.push_back(hour);
  return json::Node::object({{"first", first_.value_or(0)},
                             {"calls", mean(calls_a_minute_)},
                             {"denials", mean(denial_share_)},
                             {"latency", mean(latency_)},
                             {"scopes", node_of(scopes_)},
                             {"resources", node_of(resources_)},
                             {"hosts", node_of(hosts_)},
                             {"hours", std::move(hours)},
                             {"days", days_},
                             {"day", std::max<std::int64_t>(day_, 0)},
                             {"hours_of_day", hours_of_day_}});
}

std::optional<Baseline> Baseline::from(const json::Value& value) {
  Baseline out;
  const auto read_mean = [&](const char* name, Mean& to) {
    const json::Value* const found = value.find(name);
    if (found == nullptr || found->items().size() != 2) return false;
    const auto mean = found->items()[0].number();
    const auto samples = found->items()[1].integer();
    if (!mean || !samples || *mean < 0 || *samples < 0 || *samples > kMinutes) return false;
    to = {*mean, static_cast<std::uint32_t>(*samples)};
    return true;
  };
  const auto first = number_of(value, "first"), days = number_of(value, "days"),
             day = number_of(value, "day"), hours_of_day = number_of(value, "hours_of_day");
  const json::Value* const hours = value.find("hours");
  const bool has_numbers =
      first && days && day && hours_of_day && hours != nullptr && hours->items().size() == 24;
  if (!has_numbers || !read_mean("calls", out.calls_a_minute_) || !read_mean("denials", out.denial_share_) ||
      !read_mean("latency", out.latency_) || !read_names(value.find("scopes"), out.scopes_) ||
      !read_names(value.find("resources"), out.resources_) || !read_names(value.find("hosts"), out.hosts_)) {
    return std::nullopt;
  }
  out.first_ = static_cast<std::int64_t>(*first);
  out.days_ = static_cast<std::uint32_t>(*days);
  out.day_ = static_cast<std::int64_t>(*day);
  out.hours_of_day_ = static_cast<std::uint32_t>(*hours_of_day);
  for (std::size_t i = 0; i < out.hours_.size(); ++i) {
    out.hours_[i] = static_cast<std::uint32_t>(hours->items()[i].integer().value_or(0));
  }
  return out;
}

}  // namespace chancery::anomaly
