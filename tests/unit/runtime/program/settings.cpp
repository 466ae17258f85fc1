#include "daemon/runtime/settings.hpp"

#include <array>
#include <ostream>
#include <string>

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

constexpr std::array kRows{
    Row{"the least", "[runtime]\nurl = \"https://a.example\"\n", nullptr},
    Row{"a port", "[runtime]\nurl = \"https://a.example:8444\"\n", nullptr},
    Row{"nothing", "", kUrl},
    Row{"no TLS", "[runtime]\nurl = \"http://a.example\"\n", kUrl},
    Row{"a slash at the end", "[runtime]\nurl = \"https://a.example/\"\n", kUrl},
    Row{"a query", "[runtime]\nurl = \"https://a.example?b\"\n",
        "runtime.url must have no user, query or fragment"},
    Row{"a number", "[runtime]\nurl = 1\n", "runtime.url must be a text that is not empty", 2},
    Row{"a relative path", "[runtime]\nurl = \"https://a.example\"\ntools = \"tools.d\"\n",
        "runtime.tools must be an absolute path", 3},
    Row{"an option that there is not", "[runtime]\nurl = \"https://a.example\"\ntool = \"/x\"\n",
        "runtime.tool is no option: see docs/operations/runtime.md", 3},
    Row{"a section that there is not", "[runtimes]\nurl = \"https://a.example\"\n",
        "the file has the sections [runtime] and [log] only", 1},
    Row{"TLS without a certificate",
        "[runtime]\nurl = \"https://a.example\"\ntls_listen = \"127.0.0.1:8444\"\n",
        "runtime.tls_listen takes runtime.tls_certificate and runtime.tls_key"},
    Row{"a place without a port", "[runtime]\nurl = \"https://a.example\"\ntls_listen = \"127.0.0.1\"\n",
        "runtime.tls_listen must be HOST:PORT, with an IPv6 address in brackets"},
    Row{"a level that there is not", "[runtime]\nurl = \"https://a.example\"\n[log]\nlevel = \"loud\"\n",
        "log.level must be one of trace, debug, info, warning, error", 4},
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

BOOST_AUTO_TEST_CASE(addresses_are_hosts_and_ports) {
  BOOST_TEST(split_address("127.0.0.1:8444")->host == "127.0.0.1");
  BOOST_TEST(split_address("127.0.0.1:8444")->port == 8444);
  BOOST_TEST(split_address("[::1]:1")->host == "::1");
  for (const char* wrong : {"", ":1", "a", "a:", "a:x", "a:65536", "::1:1", "a:1x"})
    BOOST_TEST(!split_address(wrong).has_value(), wrong);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::runtime
