#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <boost/test/unit_test.hpp>

#include "daemon/config/config.hpp"
#include "tests/unit/daemon/least_configuration.hpp"

namespace chancery::config::testing {

/// What `toml` says. The test ends where it is refused.
inline Config accepted(std::string_view toml) {
  auto parsed = parse_config(toml);
  if (const auto* error = std::get_if<ConfigError>(&parsed)) {
    BOOST_FAIL("line " << error->line << ": " << error->message);
  }
  return std::get<Config>(std::move(parsed));
}

/// Why `toml` is refused. The test fails where it is not.
inline ConfigError refused(std::string_view toml) {
  const auto parsed = parse_config(toml);
  if (const auto* error = std::get_if<ConfigError>(&parsed)) return *error;
  BOOST_ERROR("accepted: " << toml);
  return {};
}

/// A section that was right, and what is said of it after the least configuration once a piece of it is another.
struct Mistake {
  const char* name;
  const char* section;
  const char* from;  ///< the piece; the first of its kind
  const char* to;
  int line;
  const char* message;
};
inline std::ostream& operator<<(std::ostream& out, const Mistake& row) { return out << row.name; }

inline void expect_refused(const Mistake& row) {
  std::string section = row.section;
  const std::size_t at = section.find(row.from);
  BOOST_TEST_REQUIRE(at != std::string::npos);
  section.replace(at, std::string_view(row.from).size(), row.to);
  const ConfigError error = refused(kLeast + section);
  BOOST_TEST(error.message == row.message);
  BOOST_TEST(error.line == row.line);
}

}  // namespace chancery::config::testing
