#include "daemon/config/values.hpp"

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
