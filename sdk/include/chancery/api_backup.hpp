#pragma once

#include <cstdint>
#include <string>

namespace chancery::api {

/// The newest form of the daemon's database that this version knows.
inline constexpr std::int64_t kNewestSchema = 25;

/// A copy of the daemon's database as it was at one instant. The master secret is not in it.
struct Backup {
  std::string name;
  std::string path{};  ///< on the daemon's machine; empty in what was taken from there
  std::int64_t made_at = 0;
  std::int64_t octets = 0;
  std::string sha256;        ///< in hexadecimal digits
  std::int64_t schema = 0;   ///< the form of the database
  std::string log;           ///< the audit log's name; empty before it has one
  std::int64_t entries = 0;  ///< of the audit log
  std::string checkpoint{};  ///< the newest of the log, a signed note; empty before the first
};

}  // namespace chancery::api
