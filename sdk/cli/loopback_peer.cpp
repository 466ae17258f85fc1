#include "sdk/cli/loopback_peer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace chancery::cli {
namespace {

constexpr std::size_t kUserColumn = 7;
constexpr std::size_t kInodeColumn = 9;
constexpr std::size_t kMappedAt = 12;  // where the octets of IPv4 begin in an address of IPv6

bool is_v4(const LoopbackEnd& end) {
  constexpr std::array<std::uint8_t, kMappedAt> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  return std::equal(kMapped.begin(), kMapped.end(), end.address.begin());
}

// An address as the tables have it: words of 32 bits in the machine's order. `first`: the octet that it begins with.
std::string text_of(const LoopbackEnd& end, std::size_t first) {
  std::string out;
  std::array<char, 16> part{};
  for (std::size_t at = first; at < end.address.size(); at += sizeof(std::uint32_t)) {
    std::uint32_t word = 0;
    std::memcpy(&word, end.address.data() + at, sizeof word);
    std::snprintf(part.data(), part.size(), "%08X", static_cast<unsigned>(word));
    out += part.data();
  }
  std::snprintf(part.data(), part.size(), ":%04X", static_cast<unsigned>(end.port));
  return out + part.data();
}

template <typename Number>
std::optional<Number> number_from(const std::string& column) {
  Number number = 0;
  const char* const end = column.data() + column.size();
  const auto parsed = std::from_chars(column.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return number;
}

std::optional<uid_t> user_in_file(const char* file, const LoopbackEnd& own, const LoopbackEnd& other) {
  std::ifstream table(file);
  return user_in_table(std::string(std::istreambuf_iterator<char>(table), {}), own, other);
}

}  // namespace

std::optional<uid_t> user_in_table(std::string_view table, const LoopbackEnd& own, const LoopbackEnd& other) {
  const std::string local = text_of(own, 0), remote = text_of(other, 0);
  const bool is_short = is_v4(own) && is_v4(other);
  const std::string short_local = is_short ? text_of(own, kMappedAt) : local;
  const std::string short_remote = is_short ? text_of(other, kMappedAt) : remote;
  std::istringstream lines{std::string(table)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream row(line);
    const std::vector<std::string> columns{std::istream_iterator<std::string>(row), {}};
    if (columns.size() <= kInodeColumn) continue;
    const bool is_it = (columns[1] == local && columns[2] == remote) ||
                       (columns[1] == short_local && columns[2] == short_remote);
    // A socket that no process holds has no inode.
    if (is_it && number_from<std::uint64_t>(columns[kInodeColumn]).value_or(0) != 0)
      return number_from<uid_t>(columns[kUserColumn]);
  }
  return std::nullopt;
}

std::optional<uid_t> user_of(const LoopbackEnd& own, const LoopbackEnd& other) {
  if (is_v4(own)) {
    if (const auto user = user_in_file("/proc/net/tcp", own, other)) return user;
  }
  return user_in_file("/proc/net/tcp6", own, other);
}

}  // namespace chancery::cli
