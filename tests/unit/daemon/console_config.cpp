// What a configuration says of the console.

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/config/config.hpp"
#include "daemon/setup/console.hpp"
#include "daemon/setup/options.hpp"
#include "tests/unit/daemon/read_configuration.hpp"

namespace chancery::config {
namespace {

using testing::accepted;
using testing::kLeast;

std::string with_tls(const std::string& address) {
  std::string text = kLeast;
  const std::string none = "tls_listen = \"\"";
  return text.replace(text.find(none), none.size(),
                      "tls_listen = \"" + address + "\"\ntls_certificate = \"/c\"\ntls_key = \"/k\"");
}

std::string complaint_about(const std::string& text) {
  const auto result = parse_config(text);
  const auto* const error = std::get_if<ConfigError>(&result);
  return error == nullptr ? "" : error->message;
}

struct Row {
  const char* what;
  const char* tls;
  const char* options;
  const char* option;  ///< that the complaint names; nullptr: there is none
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.what; }

constexpr const char* kTls = "127.0.0.1:8443";

constexpr std::array kRows{
    Row{"off, without TLS", "", "", nullptr},
    Row{"on", kTls, "enabled = true\n", nullptr},
    Row{"on, without TLS", "", "enabled = true\n", "console.enabled"},
    Row{"any port", "127.0.0.1:0", "enabled = true\n", "console.origins"},
    Row{"any port with an address", "127.0.0.1:0", "enabled = true\norigins = [\"https://localhost:1\"]\n",
        nullptr},
    Row{"a domain of its own", kTls,
        "rp_id = \"example.org\"\norigins = [\"https://example.org\", \"https://chancery.example.org:8443\"]\n",
        nullptr},
    Row{"another domain", kTls, "rp_id = \"example.org\"\norigins = [\"https://example.com\"]\n",
        "console.origins"},
    Row{"a domain that only ends so", kTls,
        "rp_id = \"example.org\"\norigins = [\"https://badexample.org\"]\n", "console.origins"},
    Row{"without TLS in the address", kTls, "origins = [\"http://localhost:8443\"]\n", "console.origins"},
    Row{"a path in the address", kTls, "origins = [\"https://localhost:8443/ui\"]\n", "console.origins"},
    Row{"capitals in the address", kTls, "origins = [\"https://LOCALHOST:8443\"]\n", "console.origins"},
    Row{"an address for a domain", kTls, "rp_id = \"https://localhost\"\n", "console.rp_id"},
    Row{"no domain", kTls, "rp_id = \"\"\n", "console.rp_id"},
    Row{"an approver", kTls, "approvers = [\"bob=user:bob@example.org\"]\n", nullptr},
    Row{"an approver without a user", kTls, "approvers = [\"=user:bob@example.org\"]\n", "console.approvers"},
    Row{"an approver without a principal", kTls, "approvers = [\"bob=\"]\n", "console.approvers"},
    Row{"an approver without a kind", kTls, "approvers = [\"bob=bob\"]\n", "console.approvers"},
    Row{"a group for an approver", kTls, "approvers = [\"bob=group:finance\"]\n", "console.approvers"},
    Row{"an approver without both", kTls, "approvers = [\"bob\"]\n", "console.approvers"},
    Row{"without files", kTls, "enabled = true\nfiles = \"\"\n", "console.files"},
    Row{"too short a session", kTls, "session_life = \"59s\"\n", "console.session_life"},
    Row{"too long a session", kTls, "session_idle = \"25h\"\n", "console.session_idle"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(console_config)

BOOST_DATA_TEST_CASE(what_cannot_work_is_refused, boost::unit_test::data::make(kRows), row) {
  const std::string complaint = complaint_about(with_tls(row.tls) + "[console]\n" + row.options);
  if (row.option == nullptr) {
    BOOST_TEST(complaint == "");
  } else {
    BOOST_TEST((complaint.find(row.option) != std::string::npos), complaint);
  }
}

BOOST_AUTO_TEST_CASE(passkeys_answer_where_browsers_come) {
  const auto party = [](const std::string& text) { return setup::relying_party(accepted(text)); };
  BOOST_REQUIRE(party(with_tls(kTls)));
  BOOST_TEST(party(with_tls(kTls))->id == "localhost");
  BOOST_TEST(party(with_tls(kTls))->origins == std::vector<std::string>{"https://localhost:8443"},
             boost::test_tools::per_element());
  BOOST_TEST(party(with_tls("127.0.0.1:443"))->origins == std::vector<std::string>{"https://localhost"},
             boost::test_tools::per_element());
  const auto named =
      party(with_tls(kTls) + "[console]\nrp_id = \"example.org\"\norigins = [\"https://a.example.org\"]\n");
  BOOST_TEST(named->id == "example.org");
  BOOST_TEST(named->origins == std::vector<std::string>{"https://a.example.org"},
             boost::test_tools::per_element());
  BOOST_TEST(!party(kLeast).has_value());
}

BOOST_AUTO_TEST_CASE(there_is_a_console_only_where_it_is_enabled) {
  const auto none = setup::console(accepted(with_tls(kTls)));
  BOOST_REQUIRE(none);
  BOOST_TEST((*none == nullptr));
  const auto no_user = setup::console(
      accepted(with_tls(kTls) + "[console]\nenabled = true\napprovers = [\"no-such-user-here=user:a\"]\n"));
  BOOST_REQUIRE(!no_user);
  BOOST_TEST((no_user.error().code == ErrorCode::kConfigInvalid));
  const auto twice = setup::console(
      accepted(with_tls(kTls) + "[console]\nenabled = true\napprovers = [\"7=user:a\", \"7=user:b\"]\n"));
  BOOST_REQUIRE(!twice);
  BOOST_TEST((twice.error().code == ErrorCode::kConfigInvalid));
}

BOOST_AUTO_TEST_CASE(who_the_users_are_is_known_without_a_console) {
  const auto policy = setup::policy(
      accepted(kLeast + std::string("[console]\napprovers = [\"7=user:a\", \"8=user:b\"]\n")), true);
  BOOST_REQUIRE(policy);
  BOOST_TEST((policy->persons == std::map<std::uint32_t, std::string>{{7, "user:a"}, {8, "user:b"}}));
  const auto no_user = setup::policy(
      accepted(kLeast + std::string("[console]\napprovers = [\"no-such-user-here=user:a\"]\n")), true);
  BOOST_REQUIRE(!no_user);
  BOOST_TEST((no_user.error().code == ErrorCode::kConfigInvalid));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::config
