#include "daemon/config/values.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <arpa/inet.h>

namespace chancery::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t size;
};
// Largest first, so that writing takes the largest that is exact.
constexpr std::array kTimeUnits{Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000},
                                Unit{"s", 1000}, Unit{"ms", 1}};
constexpr std::array kOctetUnits{Unit{"MiB", 1024 * 1024}, Unit{"KiB", 1024}, Unit{"", 1}};

// Twelve digits of any unit stay within 64 bits.
constexpr std::size_t kMaxDigits = 12;

struct Number {
  std::uint64_t value;
  std::string_view rest;
};

std::optional<Number> leading_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto digits = static_cast<std::size_t>(end - text.data());
  if (failure != std::errc{} || digits > kMaxDigits) return std::nullopt;
  return Number{value, text.substr(digits)};
}

template <std::size_t N>
std::optional<std::uint64_t> parse_with(const std::array<Unit, N>& units, std::string_view text) {
  const auto number = leading_number(text);
  if (!number) return std::nullopt;
  for (const Unit& unit : units) {
    if (unit.name == number->rest) return number->value * unit.size;
  }
  return std::nullopt;
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

constexpr std::array<std::string_view, 7> kDays{"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"};

std::optional<unsigned> day_of(std::string_view name) {
  const auto found = std::ranges::find(kDays, name);
  if (found == kDays.end()) return std::nullopt;
  return static_cast<unsigned>(found - kDays.begin());
}

// Each day later than the one before: so a week has one spelling less to be misread in, and "Fr-Mo" is no range.
std::optional<std::uint8_t> parse_days(std::string_view text) {
  unsigned days = 0;
  unsigned next = 0;
  for (;;) {
    const std::string_view range = text.substr(0, text.find(','));
    const std::size_t dash = range.find('-');
    const auto first = day_of(range.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : day_of(range.substr(dash + 1));
    if (!first || !last || *first < next || *last < *first) return std::nullopt;
    for (unsigned day = *first; day <= *last; ++day) days |= 1u << day;
    next = *last + 1;
    if (range.size() == text.size()) return static_cast<std::uint8_t>(days);
    text.remove_prefix(range.size() + 1);
  }
}

// "08:05"; 24:00 ends the day.
std::optional<std::chrono::minutes> parse_clock(std::string_view text) {
  const bool is_shaped =
      text.size() == 5 && text[2] == ':' && is_digits(text.substr(0, 2)) && is_digits(text.substr(3));
  if (!is_shaped) return std::nullopt;
  const auto number = [](std::string_view digits) { return (digits[0] - '0') * 10 + (digits[1] - '0'); };
  const int minute = number(text.substr(3));
  const std::chrono::minutes out{number(text) * 60 + minute};
  if (minute > 59 || out > std::chrono::hours(24)) return std::nullopt;
  return out;
}

bool is_zone(std::string_view text) {
  constexpr std::size_t kLongestZone = 64;
  return !text.empty() && text.size() <= kLongestZone && text.front() != '/' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '/' ||
                  c == '_' || c == '-' || c == '+';
         });
}

template <std::size_t N>
std::string text_with(const std::array<Unit, N>& units, std::uint64_t value) {
  for (const Unit& unit : units) {
    if (value >= unit.size && value % unit.size == 0) {
      return std::to_string(value / unit.size) + std::string(unit.name);
    }
  }
  return "0" + std::string(units.back().name);
}

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
  const auto count = parse_with(kTimeUnits, text);
  if (!count) return std::nullopt;
  return milliseconds(static_cast<milliseconds::rep>(*count));
}

std::string duration_text(milliseconds duration) {
  return text_with(kTimeUnits, static_cast<std::uint64_t>(duration.count()));
}

std::optional<std::uint64_t> parse_octets(std::string_view text) { return parse_with(kOctetUnits, text); }

std::string octets_text(std::uint64_t octets) { return text_with(kOctetUnits, octets); }

std::optional<std::string> decimal_text(std::string_view text) {
  constexpr std::size_t kMostWhole = 13;
  constexpr std::size_t kMostPlaces = 6;
  const std::size_t dot = std::min(text.find('.'), text.size());
  std::string whole(text.substr(0, dot));
  std::string places(text.substr(std::min(dot + 1, text.size())));
  const bool has_places = dot < text.size();
  if (!is_digits(whole) || (has_places && !is_digits(places))) return std::nullopt;
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
  places.erase(places.find_last_not_of('0') + 1);
  const bool is_small = whole.size() < kMostWhole || (whole.size() == kMostWhole && whole.front() < '9');
  if (!is_small || places.size() > kMostPlaces) return std::nullopt;
  return whole + (places.empty() ? "" : "." + places);
}

std::optional<LocalHours> parse_hours(std::string_view text) {
  const std::size_t after_days = text.find(' ');
  const std::size_t after_times =
      after_days == std::string_view::npos ? after_days : text.find(' ', after_days + 1);
  if (after_times == std::string_view::npos) return std::nullopt;
  const std::string_view times = text.substr(after_days + 1, after_times - after_days - 1);
  const std::size_t dash = std::min(times.find('-'), times.size());
  const auto days = parse_days(text.substr(0, after_days));
  const auto from = parse_clock(times.substr(0, dash));
  const auto to = parse_clock(times.substr(std::min(dash + 1, times.size())));
  const std::string_view zone = text.substr(after_times + 1);
  if (!days || !from || !to || *from >= *to || !is_zone(zone)) return std::nullopt;
  return LocalHours{*days, *from, *to, std::string(zone)};
}

std::optional<std::uint32_t> parse_file_mode(std::string_view text) {
  std::uint32_t mode = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, mode, 8);
  const bool octal = text.size() == 4 && text.front() == '0';  // three digits; no set-id or sticky bits
  if (!octal || failure != std::errc{} || stop != end) return std::nullopt;
  return mode;
}

std::string file_mode_text(std::uint32_t mode) {
  return {'0', static_cast<char>('0' + (mode >> 6 & 7)), static_cast<char>('0' + (mode >> 3 & 7)),
          static_cast<char>('0' + (mode & 7))};
}

std::optional<ListenAddress> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);

  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [stop, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (failure != std::errc{} || stop != digits.data() + digits.size()) return std::nullopt;

  ListenAddress address{std::string(host), port};
  std::array<unsigned char, sizeof(in6_addr)> octets{};
  if (::inet_pton(bracketed ? AF_INET6 : AF_INET, address.host.c_str(), octets.data()) != 1)
    return std::nullopt;
  return address;
}

std::string address_text(const ListenAddress& address) {
  const bool six = address.host.find(':') != std::string::npos;
  return (six ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

bool ListenAddress::is_loopback() const {
  in_addr four{};
  if (::inet_pton(AF_INET, host.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24) == 127;
  in6_addr six{};
  return ::inet_pton(AF_INET6, host.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six) != 0;
}

std::string ratio_text(double ratio) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), ratio).ptr;
  std::string out(text.data(), end);
  return out.find_first_of(".e") == std::string::npos ? out + ".0" : out;
}

}  // namespace chancery::config
