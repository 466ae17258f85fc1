#include "daemon/runtime/settings.hpp"

#include <array>
#include <fstream>
#include <iterator>
#include <ostream>
#include <string>
#include <variant>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace chancery::runtime {
namespace {

struct Row {
  const char* name;
  const char* text;
  const char* complaint;  // null: there is none
  int line = 0;
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }

constexpr const char* kUrl =
    "runtime.url must be https://HOST[:PORT] without a slash at its end: where agents call the runtime";

constexpr const char* kAddress =
    "runtime.tls_listen must be a numeric address and a port, such as 0.0.0.0:8444 or [::]:8444";

constexpr std::array kRows{
    Row{"the least", "[runtime]\nurl = \"https://a.example\"\n", nullptr},
    Row{"a port", "[runtime]\nurl = \"https://a.example:8444\"\n", nullptr},
    Row{"nothing", "", kUrl},
    Row{"no TLS", "[runtime]\nurl = \"http://a.example\"\n", kUrl},
    Row{"a slash at the end", "[runtime]\nurl = \"https://a.example/\"\n", kUrl},
    Row{"a query", "[runtime]\nurl = \"https://a.example?b\"\n",
        "runtime.url must have no user, query or fragment"},
    Row{"a number", "[runtime]\nurl = 1\n", "runtime.url must be a string", 2},
    Row{"an empty text", "[runtime]\nurl = \"\"\n",
        "runtime.url must not be empty: leave it out for its default", 2},
    Row{"a relative path", "[runtime]\nurl = \"https://a.example\"\ntools = \"tools.d\"\n",
        "runtime.tools must be an absolute path", 3},
    Row{"an option that there is not", "[runtime]\nurl = \"https://a.example\"\ntool = \"/x\"\n",
        "unknown option \"runtime.tool\": did you mean \"runtime.tools\"?", 3},
    Row{"a section that there is not", "[runtimes]\nurl = \"https://a.example\"\n",
        "unknown option \"runtimes\": did you mean \"runtime\"?", 1},
    Row{"TLS without a certificate",
        "[runtime]\nurl = \"https://a.example\"\ntls_listen = \"127.0.0.1:8444\"\n",
        "runtime.tls_listen takes runtime.tls_certificate and runtime.tls_key"},
    Row{"a place without a port", "[runtime]\nurl = \"https://a.example\"\ntls_listen = \"127.0.0.1\"\n",
        kAddress},
    Row{"a name where an address belongs",
        "[runtime]\nurl = \"https://a.example\"\ntls_listen = \"localhost:8444\"\n", kAddress},
    Row{"an address with TLS",
        "[runtime]\nurl = \"https://a.example\"\ntls_listen = \"[::1]:8444\"\ntls_certificate = \"/c\"\n"
        "tls_key = \"/k\"\n",
        nullptr},
    Row{"the shortest time to drain", "[runtime]\nurl = \"https://a.example\"\ndrain_timeout = \"100ms\"\n",
        nullptr},
    Row{"a shorter one", "[runtime]\nurl = \"https://a.example\"\ndrain_timeout = \"99ms\"\n",
        "runtime.drain_timeout must be from 100ms to 5m", 3},
    Row{"the longest time to drain", "[runtime]\nurl = \"https://a.example\"\ndrain_timeout = \"5m\"\n",
        nullptr},
    Row{"a longer one", "[runtime]\nurl = \"https://a.example\"\ndrain_timeout = \"300001ms\"\n",
        "runtime.drain_timeout must be from 100ms to 5m", 3},
    Row{"a level that there is not", "[runtime]\nurl = \"https://a.example\"\n[log]\nlevel = \"loud\"\n",
        "log.level must be one of \"trace\" \"debug\" \"info\" \"warning\" \"error\"", 4},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(runtime_settings)

BOOST_DATA_TEST_CASE(what_the_file_says_is_taken_or_explained, boost::unit_test::data::make(kRows), row) {
  const auto parsed = parse_settings(row.text);
  const auto* error = std::get_if<SettingsError>(&parsed);
  BOOST_REQUIRE_MESSAGE((error == nullptr) == (row.complaint == nullptr),
                        (error == nullptr ? "" : error->message));
  if (error == nullptr) return;
  BOOST_TEST(error->message == row.complaint);
  BOOST_TEST(error->line == row.line);
}

BOOST_AUTO_TEST_CASE(what_is_no_toml_is_named_with_its_line) {
  const auto parsed = parse_settings("[runtime]\nurl = \n");
  const auto* error = std::get_if<SettingsError>(&parsed);
  BOOST_REQUIRE(error != nullptr);
  BOOST_TEST(error->line == 2);
}

namespace {

Settings settings_of(const std::string& more) {
  const auto parsed = parse_settings("[runtime]\nurl = \"https://a.example\"\n" + more);
  const auto* error = std::get_if<SettingsError>(&parsed);
  BOOST_REQUIRE_MESSAGE(error == nullptr, (error == nullptr ? "" : error->message));
  return std::get<Settings>(parsed);
}

struct Change {
  const char* option;
  const char* toml;
  bool is_live;
};
std::ostream& operator<<(std::ostream& out, const Change& row) { return out << row.option; }
constexpr std::array kChanges{
    Change{"runtime.daemon", "daemon = \"/d\"\n", false},
    Change{"runtime.tools", "tools = \"/t\"\n", true},
    Change{"runtime.socket", "socket = \"/s\"\n", false},
    Change{"runtime.ca", "ca = \"/a\"\n", false},
    Change{"runtime.tls_certificate", "tls_certificate = \"/c\"\n", true},
    Change{"runtime.tls_key", "tls_key = \"/k\"\n", true},
    Change{"runtime.drain_timeout", "drain_timeout = \"1s\"\n", true},
    Change{"log.level", "[log]\nlevel = \"debug\"\n", true},
    Change{"log.format", "[log]\nformat = \"json\"\n", true},
};

}  // namespace

BOOST_DATA_TEST_CASE(a_change_is_taken_over_or_waits_for_a_restart, boost::unit_test::data::make(kChanges),
                     row) {
  const Settings read = settings_of(row.toml);
  const auto result = take_over(settings_of(""), read);
  const auto* taken = std::get_if<TakenOver>(&result);
  BOOST_REQUIRE(taken != nullptr);
  const std::vector<std::string> named{row.option};
  BOOST_TEST((row.is_live ? taken->changed : taken->need_restart) == named, boost::test_tools::per_element());
  BOOST_TEST((row.is_live ? taken->need_restart : taken->changed).empty());
  // What was taken over is no change any more; what waits is one for as long as it waits.
  const auto again = take_over(taken->settings, read);
  BOOST_TEST(std::get<TakenOver>(again).changed.empty());
  BOOST_TEST(std::get<TakenOver>(again).need_restart.empty() == row.is_live);
}

BOOST_AUTO_TEST_CASE(the_live_half_of_a_change_may_contradict_the_other) {
  const Settings running =
      settings_of("tls_listen = \"127.0.0.1:8444\"\ntls_certificate = \"/c\"\ntls_key = \"/k\"\n");
  const auto result = take_over(running, settings_of(""));
  const auto* error = std::get_if<SettingsError>(&result);
  BOOST_REQUIRE(error != nullptr);
  BOOST_TEST(error->message == "runtime.tls_listen takes runtime.tls_certificate and runtime.tls_key");
}

BOOST_AUTO_TEST_CASE(every_option_is_in_the_documents_as_it_is) {
  std::ifstream in(CHANCERY_SOURCE_DIR "/docs/operations/runtime.md");
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  std::size_t count = 0;
  for (const Option& option : options()) {
    const std::string row = "| `" + std::string(option.section) + "." + std::string(option.name) + "` | " +
                            (option.is_live ? "live" : "restart") + " | ";
    BOOST_TEST(page.find(row) != std::string::npos, "no row " << row);
    ++count;
  }
  std::size_t rows = 0;
  for (std::size_t at = page.find("` | live | "); at != std::string::npos;
       at = page.find("` | live | ", at + 1))
    ++rows;
  for (std::size_t at = page.find("` | restart | "); at != std::string::npos;
       at = page.find("` | restart | ", at + 1))
    ++rows;
  BOOST_TEST(rows == count);
}

BOOST_AUTO_TEST_CASE(the_packaged_file_is_good_once_it_names_who_it_is) {
  const auto parsed = load_settings(CHANCERY_SOURCE_DIR "/daemon/packaging/runtime.toml");
  const auto* error = std::get_if<SettingsError>(&parsed);
  BOOST_REQUIRE_MESSAGE(error == nullptr, (error == nullptr ? "" : error->message));
  const Settings packaged = std::get<Settings>(parsed), standard;
  for (const Option& option : options()) {
    if (option.name == "url") continue;
    BOOST_TEST(std::visit([&](const auto place) { return packaged.*place == standard.*place; }, option.place),
               option.name << " is packaged with another value than its default");
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::runtime
