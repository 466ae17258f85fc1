#include "sdk/cli/loopback_peer.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

namespace chancery::cli {
namespace {

constexpr std::size_t kUserColumn = 7;

// An address as the table has it: words of 32 bits in the machine's order, which is little-endian here.
std::string text_of(const LoopbackEnd& end) {
  std::array<char, 8> port{};
  std::snprintf(port.data(), port.size(), ":%04X", static_cast<unsigned>(end.port));
  const char* const address = end.is_v6 ? "00000000000000000000000001000000" : "0100007F";
  return std::string(address) + port.data();
}

std::optional<uid_t> user_from(const std::string& column) {
  uid_t user = 0;
  const char* const end = column.data() + column.size();
  const auto parsed = std::from_chars(column.data(), end, user);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return user;
}

}  // namespace

std::optional<uid_t> user_in_table(std::string_view table, const LoopbackEnd& own, const LoopbackEnd& other) {
  const std::string local = text_of(own), remote = text_of(other);
  std::istringstream lines{std::string(table)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream row(line);
    const std::vector<std::string> columns{std::istream_iterator<std::string>(row), {}};
    if (columns.size() > kUserColumn && columns[1] == local && columns[2] == remote)
      return user_from(columns[kUserColumn]);
  }
  return std::nullopt;
}

std::optional<uid_t> user_of(const LoopbackEnd& own, const LoopbackEnd& other) {
  std::ifstream table(own.is_v6 ? "/proc/net/tcp6" : "/proc/net/tcp");
  return user_in_table(std::string(std::istreambuf_iterator<char>(table), {}), own, other);
}

}  // namespace chancery::cli
