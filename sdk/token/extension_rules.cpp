#include "sdk/token/extension_rules.hpp"

#include <algorithm>
#include <cstddef>

namespace chancery {
namespace {

using json::Value;
using std::chrono::minutes;

constexpr std::array<std::string_view, 3> kPerNames{"second", "minute", "hour"};  // by RateBound::Per
constexpr minutes kDay{24 * 60};
constexpr std::size_t kLongestZone = 64;

Error malformed(const char* what) { return Error{ErrorCode::kMalformed, what}; }

std::string_view text_of(const Value* value) {
  return value == nullptr ? std::string_view() : value->string().value_or("");
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "09:05"; "24:00" is the end of the day.
std::optional<minutes> parse_clock(std::string_view text) {
  const bool shaped = text.size() == 5 && is_digit(text[0]) && is_digit(text[1]) && text[2] == ':' &&
                      is_digit(text[3]) && is_digit(text[4]);
  if (!shaped) return std::nullopt;
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  const minutes since_midnight{hour * 60 + minute};
  if (minute > 59 || since_midnight > kDay) return std::nullopt;
  return since_midnight;
}

std::optional<std::uint8_t> parse_days(const Value* days) {
  if (days == nullptr) return std::nullopt;
  unsigned out = 0;
  for (const Value& item : days->items()) {
    const auto day = std::ranges::find(kDayNames, item.string().value_or(""));
    const unsigned bit = 1u << (day - kDayNames.begin());
    if (day == kDayNames.end() || bit <= out) return std::nullopt;  // unknown, repeated, or out of order
    out |= bit;
  }
  if (out == 0) return std::nullopt;
  return static_cast<std::uint8_t>(out);
}

// Whether the zone exists is for the verifier to know.
bool is_zone_name(std::string_view zone) {
  const auto allowed = [](char c) {
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '/' || c == '_' ||
           c == '-' || c == '+';
  };
  return !zone.empty() && zone.size() <= kLongestZone && zone.front() != '/' &&
         std::ranges::all_of(zone, allowed);
}

}  // namespace

Result<RateBound> read_rate(const Value& value) {
  constexpr const char* kWhat =
      "`max_rate` takes {\"count\", \"per\"}: a number that is not negative, and second, minute or hour";
  if (!value.has_only({"count", "per"})) return malformed(kWhat);
  const Value* count = value.find("count");
  const auto per = std::ranges::find(kPerNames, text_of(value.find("per")));
  if (count == nullptr || !count->number() || *count->number() < 0 || per == kPerNames.end())
    return malformed(kWhat);
  return RateBound{*count->number(), static_cast<RateBound::Per>(per - kPerNames.begin())};
}

json::Node to_json(const RateBound& rate) {
  return json::Node::object({{"count", rate.count}, {"per", kPerNames[static_cast<std::size_t>(rate.per)]}});
}

bool narrows(const RateBound& parent, const RateBound& child) noexcept {
  return child.per == parent.per && child.count <= parent.count;
}

Result<TimeWindow> read_window(const Value& value) {
  if (!value.has_only({"days", "from", "to", "zone"}))
    return malformed("`time_window` takes {\"days\", \"from\", \"to\", \"zone\"}");
  const auto days = parse_days(value.find("days"));
  if (!days)
    return malformed(
        "`days` are of mon, tue, wed, thu, fri, sat, sun: in that order, each once, at least one");
  const auto from = parse_clock(text_of(value.find("from")));
  const auto to = parse_clock(text_of(value.find("to")));
  if (!from || !to)
    return malformed("`from` and `to` are local times such as 09:00 and 17:30; 24:00 ends the day");
  if (*from >= *to) return malformed("`from` must be before `to`: a window does not cross midnight");
  const std::string_view zone = text_of(value.find("zone"));
  if (!is_zone_name(zone)) return malformed("`zone` is a name of the IANA database, such as Europe/Berlin");
  return TimeWindow{*days, *from, *to, std::string(zone)};
}

json::Node to_json(const TimeWindow& window) {
  json::Node days = json::Node::array();
  for (std::size_t day = 0; day < kDayNames.size(); ++day) {
    if (window.days >> day & 1u) days.push_back(kDayNames[day]);
  }
  return json::Node::object({{"days", std::move(days)},
                             {"from", clock_text(window.from)},
                             {"to", clock_text(window.to)},
                             {"zone", window.zone}});
}

bool narrows(const TimeWindow& parent, const TimeWindow& child) noexcept {
  return child.zone == parent.zone && (child.days & ~parent.days) == 0 && child.from >= parent.from &&
         child.to <= parent.to;
}

std::optional<TimeWindow> meet(const TimeWindow& a, const TimeWindow& b) {
  const TimeWindow both{static_cast<std::uint8_t>(a.days & b.days), std::max(a.from, b.from),
                        std::min(a.to, b.to), a.zone};
  if (a.zone != b.zone || both.days == 0 || both.from >= both.to) return std::nullopt;
  return both;
}

std::string clock_text(minutes since_midnight) {
  const auto two_digits = [](auto number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  return two_digits(since_midnight.count() / 60) + ":" + two_digits(since_midnight.count() % 60);
}

}  // namespace chancery
