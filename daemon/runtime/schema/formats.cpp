#include "daemon/runtime/schema/formats.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include <re2/re2.h>

#include "daemon/runtime/schema/schema.hpp"

namespace chancery::schema {
namespace {

using re2::RE2;
using re2::StringPiece;

StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

bool is_real_date(int year, int month, int day) {
  return std::chrono::year_month_day(std::chrono::year(year),
                                     std::chrono::month(static_cast<unsigned>(month)),
                                     std::chrono::day(static_cast<unsigned>(day)))
      .ok();
}

// RFC 3339 section 5.6.
bool is_date(std::string_view text) {
  static const RE2 form(R"((\d{4})-(\d{2})-(\d{2}))");
  int year = 0;
  int month = 0;
  int day = 0;
  return RE2::FullMatch(piece(text), form, &year, &month, &day) && is_real_date(year, month, day);
}

bool is_time(std::string_view text) {
  static const RE2 form(R"((\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:[Zz]|([+-])(\d{2}):(\d{2})))");
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::string sign;
  std::string offset_hours;
  std::string offset_minutes;
  if (!RE2::FullMatch(piece(text), form, &hour, &minute, &second, &sign, &offset_hours, &offset_minutes))
    return false;
  const int away_hours = sign.empty() ? 0 : std::stoi(offset_hours);
  const int away_minutes = sign.empty() ? 0 : std::stoi(offset_minutes);
  if (hour > 23 || minute > 59 || second > 60 || away_hours > 23 || away_minutes > 59) return false;
  if (second < 60) return true;
  // A leap second is the last one of a day in UTC.
  constexpr int kDay = 24 * 60;
  const int away = away_hours * 60 + away_minutes;
  const int utc = hour * 60 + minute + (sign == "-" ? away : -away);
  return (utc + kDay) % kDay == kDay - 1;
}

bool is_date_time(std::string_view text) {
  constexpr std::size_t kDate = 10;
  return text.size() > kDate && (text[kDate] == 'T' || text[kDate] == 't') &&
         is_date(text.substr(0, kDate)) && is_time(text.substr(kDate + 1));
}

bool is_ipv4(std::string_view text) {
  static const RE2 form(R"((?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.|$)){4})");
  return RE2::FullMatch(piece(text), form) && text.back() != '.';
}

// RFC 4291 section 2.2: eight groups, of which one run of zeros may be left out; the last two as IPv4.
bool is_ipv6(std::string_view text) {
  static const RE2 group("[0-9A-Fa-f]{1,4}");
  const std::size_t gap = text.find("::");
  const bool has_gap = gap != std::string_view::npos;
  if (has_gap && text.find("::", gap + 1) != std::string_view::npos) return false;
  const auto count_groups = [&](std::string_view part, bool last) -> int {
    int groups = 0;
    while (!part.empty()) {
      const std::size_t colon = part.find(':');
      const std::string_view one = part.substr(0, colon);
      const bool ends = colon == std::string_view::npos;
      if (ends && last && is_ipv4(one)) return groups + 2;
      if (!RE2::FullMatch(piece(one), group)) return -9;
      ++groups;
      if (ends) return groups;
      part.remove_prefix(colon + 1);
      if (part.empty()) return -9;  // a single colon at the end
    }
    return groups;
  };
  if (!has_gap) return count_groups(text, true) == 8;
  const int before = count_groups(text.substr(0, gap), false);
  const int after = count_groups(text.substr(gap + 2), true);
  return before >= 0 && after >= 0 && before + after < 8;
}

// RFC 1123 section 2.1: labels of letters, digits and hyphens.
bool is_hostname(std::string_view text) {
  static const RE2 form(
      R"((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*)");
  constexpr std::size_t kLongest = 253;
  return text.size() <= kLongest && RE2::FullMatch(piece(text), form);
}

// RFC 5321 section 4.1.2: Mailbox.
bool is_email(std::string_view text) {
  static const RE2 dotted(R"([A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*)");
  static const RE2 quoted(R"re("(?:[ !#-\[\]-~]|\\[ -~])*")re");
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || at > 64) return false;
  const std::string_view local = text.substr(0, at);
  std::string_view domain = text.substr(at + 1);
  if (!RE2::FullMatch(piece(local), dotted) && !RE2::FullMatch(piece(local), quoted)) return false;
  if (!domain.starts_with('[') || !domain.ends_with(']')) return is_hostname(domain);
  domain = domain.substr(1, domain.size() - 2);
  return domain.starts_with("IPv6:") ? is_ipv6(domain.substr(5)) : is_ipv4(domain);
}

// RFC 3986 section 3, with a scheme.
bool is_uri(std::string_view text) {
  static const RE2 form(
      R"([A-Za-z][A-Za-z0-9+.-]*:(?:(//)(?:(?:[\w.~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*@)?(\[[^\[\]]*\]|(?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(?::\d*)?)?)"
      R"(((?:[\w.~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)(?:\?(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?(?:#(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?)");
  std::string slashes;
  std::string host;
  std::string path;
  if (!RE2::FullMatch(piece(text), form, &slashes, &host, &path)) return false;
  if (slashes.empty()) return !path.starts_with("//");
  if (!path.empty() && path.front() != '/') return false;
  if (!host.starts_with('[')) return true;
  static const RE2 future(R"([vV][0-9A-Fa-f]+\.[\w.~!$&'()*+,;=:-]+)");
  const std::string literal = host.substr(1, host.size() - 2);
  return is_ipv6(literal) || RE2::FullMatch(literal, future);
}

// RFC 4122 section 3.
bool is_uuid(std::string_view text) {
  static const RE2 form("[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}");
  return RE2::FullMatch(piece(text), form);
}

constexpr std::array kFormats{
    Format{"date", "a date such as 2026-03-01", is_date},
    Format{"date-time", "a date and time such as 2026-03-01T12:00:00Z", is_date_time},
    Format{"email", "an e-mail address", is_email},
    Format{"hostname", "a host name", is_hostname},
    Format{"ipv4", "an IPv4 address", is_ipv4},
    Format{"ipv6", "an IPv6 address", is_ipv6},
    Format{"time", "a time such as 12:00:00Z", is_time},
    Format{"uri", "an absolute URI", is_uri},
    Format{"uuid", "a UUID", is_uuid},
};

}  // namespace

const Format* find_format(std::string_view name) noexcept {
  const auto found = std::ranges::find(kFormats, name, &Format::name);
  return found == kFormats.end() ? nullptr : &*found;
}

bool asserts_format(std::string_view format) noexcept { return find_format(format) != nullptr; }

}  // namespace chancery::schema
