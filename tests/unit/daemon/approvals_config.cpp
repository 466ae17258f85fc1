// [approvals] and, in it, [approvals.webhook].

#include <array>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/config/config.hpp"
#include "tests/unit/daemon/least_configuration.hpp"

namespace chancery::config {
namespace {

using namespace std::chrono_literals;
using testing::kLeast;

struct Row {
  const char* name;
  const char* text;
  const char* complaint;  // a part of it; null: there is none
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }

constexpr std::array kRows{
    Row{"a receiver", "[approvals.webhook]\nurl = \"https://a.example/b?c=d\"", nullptr},
    Row{"without TLS", "[approvals.webhook]\nurl = \"http://a.example/\"",
        "approvals.webhook.url must be an https:// address without a fragment"},
    Row{"a relative path", "[approvals.webhook]\nca = \"ca.pem\"",
        "approvals.webhook.ca must be an absolute path"},
    Row{"a key in no backend", "[approvals.webhook]\nbackend = \"b\"",
        "approvals.webhook.backend names no [[backend]] of this configuration"},
    Row{"the same backend for both",
        "[anomaly.webhook]\nbackend = \"tpm0\"\n[approvals.webhook]\nbackend = \"tpm0\"", nullptr},
    Row{"a backend for each",
        "[[backend]]\nname = \"tpm1\"\ntcti = \"device:/dev/tpmrm1\"\n"
        "[anomaly.webhook]\nbackend = \"tpm0\"\n[approvals.webhook]\nbackend = \"tpm1\"",
        "approvals.webhook.backend must be that of anomaly.webhook.backend"},
    Row{"the shortest memory", "[approvals]\nkeep = \"1d\"", nullptr},
    Row{"less than that", "[approvals]\nkeep = \"23h\"", "approvals.keep"},
    Row{"the longest memory", "[approvals]\nkeep = \"3660d\"", nullptr},
    Row{"more than that", "[approvals]\nkeep = \"3661d\"", "approvals.keep"},
};

BOOST_DATA_TEST_CASE(what_is_said_of_approvals_is_checked, boost::unit_test::data::make(kRows), row) {
  const auto parsed = parse_config(kLeast + row.text + "\n");
  const auto* error = std::get_if<ConfigError>(&parsed);
  BOOST_REQUIRE_MESSAGE((error == nullptr) == (row.complaint == nullptr),
                        (error == nullptr ? "" : error->message));
  if (error != nullptr) BOOST_TEST(error->message.find(row.complaint) != std::string::npos, error->message);
}

BOOST_AUTO_TEST_CASE(it_is_read_and_written_out_again) {
  const auto parsed = parse_config(kLeast + R"([approvals]
keep = "90d"
keep_last = "1h"
[approvals.webhook]
url = "https://chancery:secret@approvals.example.org/hook"
ca = "/etc/chancery/approvals.pem"
backend = "tpm0"
)");
  const auto* config = std::get_if<Config>(&parsed);
  BOOST_REQUIRE(config != nullptr);
  const WebhookConfig webhook{"https://chancery:secret@approvals.example.org/hook",
                              "/etc/chancery/approvals.pem", "tpm0"};
  BOOST_TEST((config->approvals == ApprovalsConfig{90 * 24h, 1h, webhook}));
  const auto again = parse_config(to_toml(*config));
  BOOST_REQUIRE(std::holds_alternative<Config>(again));
  BOOST_TEST((std::get<Config>(again).approvals == config->approvals));
}

BOOST_AUTO_TEST_CASE(a_week_is_kept_unless_something_else_is_said_and_a_receiver_takes_a_restart) {
  const auto parsed = parse_config(kLeast);
  BOOST_REQUIRE(std::holds_alternative<Config>(parsed));
  const auto& running = std::get<Config>(parsed);
  BOOST_TEST((running.approvals.keep == 7 * 24h));
  Config read = running;
  read.approvals.keep = 90 * 24h;
  read.approvals.webhook.url = "https://a.example";
  const TakenOver taken = take_over(running, read);
  BOOST_TEST(taken.changed == std::vector<std::string>{"approvals.keep"}, boost::test_tools::per_element());
  BOOST_TEST(taken.need_restart == std::vector<std::string>{"approvals.webhook.url"},
             boost::test_tools::per_element());
}

}  // namespace
}  // namespace chancery::config
