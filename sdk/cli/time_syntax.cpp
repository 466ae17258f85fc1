#include "sdk/cli/time_syntax.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

namespace chancery::cli {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr std::int64_t kLongest = 100LL * 366 * 86400;

struct Unit {
  char letter;
  std::int64_t seconds;
};
constexpr std::array kUnits{Unit{'w', 7 * 86400}, Unit{'d', 86400}, Unit{'h', 3600}, Unit{'m', 60},
                            Unit{'s', 1}};

Error bad_duration() {
  return {ErrorCode::kInvalidArgument,
          "a length of time is like 90s, 30m, 8h, 7d or 1h30m, and at most 100 years"};
}

Error bad_instant() {
  return {ErrorCode::kInvalidArgument,
          "an instant is like 2026-03-01T12:00:00Z, or whole seconds since 1970"};
}

// The digits at the front, taken off; nothing when there are none or too many.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t value = 0;
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return value;
}

/// Reads fields of fixed width from the front of a text.
class Fields {
 public:
  explicit Fields(std::string_view text) : rest_(text) {}

  int number(std::size_t digits) {
    const std::string_view field = rest_.substr(0, digits);
    ok_ = ok_ && field.size() == digits &&
          std::ranges::all_of(field, [](char c) { return c >= '0' && c <= '9'; });
    int value = 0;
    if (ok_) std::from_chars(field.data(), field.data() + field.size(), value);
    rest_.remove_prefix(field.size());
    return value;
  }
  char one_of(std::string_view allowed) {
    const char c = rest_.empty() ? '\0' : rest_.front();
    ok_ = ok_ && c != '\0' && allowed.find(c) != std::string_view::npos;
    if (!rest_.empty()) rest_.remove_prefix(1);
    return c;
  }
  void skip_fraction() {
    if (!rest_.starts_with('.')) return;
    const std::size_t end = std::min(rest_.find_first_not_of("0123456789", 1), rest_.size());
    ok_ = ok_ && end > 1;
    rest_.remove_prefix(end);
  }
  [[nodiscard]] bool complete() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

Result<sys_seconds> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  Fields fields(text);
  const int y = fields.number(4);
  fields.one_of("-");
  const int mo = fields.number(2);
  fields.one_of("-");
  const int d = fields.number(2);
  fields.one_of("Tt ");
  const int h = fields.number(2);
  fields.one_of(":");
  const int mi = fields.number(2);
  fields.one_of(":");
  const int s = fields.number(2);
  fields.skip_fraction();
  const char zone = fields.one_of("Zz+-");
  minutes offset{0};
  if (zone == '+' || zone == '-') {
    const int hours_east = fields.number(2);
    fields.one_of(":");
    const int minutes_east = fields.number(2);
    if (hours_east > 23 || minutes_east > 59) return bad_instant();
    offset = minutes((hours_east * 60 + minutes_east) * (zone == '-' ? -1 : 1));
  }
  const year_month_day date{year{y}, month{static_cast<unsigned>(mo)}, day{static_cast<unsigned>(d)}};
  // A leap second is not an instant that we can name.
  if (!fields.complete() || !date.ok() || h > 23 || mi > 59 || s > 59) return bad_instant();
  return sys_seconds(sys_days(date)) + hours(h) + minutes(mi) + seconds(s) - offset;
}

}  // namespace

Result<seconds> parse_duration(std::string_view text) {
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  const bool bare = text.find_first_not_of("0123456789") == std::string_view::npos;
  while (!text.empty()) {
    const auto number = take_number(text);
    if (!number || *number > kLongest) return bad_duration();
    const char letter = text.empty() ? (bare ? 's' : '\0') : text.front();
    const auto unit = std::find_if(kUnits.begin() + static_cast<std::ptrdiff_t>(next_unit), kUnits.end(),
                                   [&](const Unit& known) { return known.letter == letter; });
    if (unit == kUnits.end()) return bad_duration();
    if (!text.empty()) text.remove_prefix(1);
    next_unit = static_cast<std::size_t>(unit - kUnits.begin()) + 1;
    total += *number * unit->seconds;
    if (total > kLongest) return bad_duration();
  }
  if (total == 0) return bad_duration();
  return seconds(total);
}

Result<sys_seconds> parse_instant(std::string_view text) {
  std::string_view rest = text;
  const auto number = take_number(rest);
  if (!number) return bad_instant();
  if (!rest.empty()) return parse_rfc3339(text);
  constexpr std::int64_t kEndOf9999 = 253402300799;
  if (*number > kEndOf9999) return bad_instant();
  return sys_seconds(seconds(*number));
}

}  // namespace chancery::cli
