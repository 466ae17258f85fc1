// [anomaly] and, in it, [anomaly.webhook]: the one section that stands in another.

#include <array>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/config/config.hpp"
#include "tests/unit/daemon/read_configuration.hpp"

namespace chancery::config {
namespace {

using namespace std::chrono_literals;
using testing::accepted;
using testing::kLeast;

struct Row {
  const char* name;
  const char* text;
  const char* complaint;  // about line 11; null: there is none
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }

constexpr const char* kForm = "anomaly.webhook.url must be an https:// address without a fragment";

constexpr std::array kRows{
    Row{"a host", "[anomaly.webhook]\nurl = \"https://a.example\"", nullptr},
    Row{"a port, a path and a query", "[anomaly.webhook]\nurl = \"https://a.example:8443/b/c?d=e&f=@g\"",
        nullptr},
    Row{"a user and a password", "[anomaly.webhook]\nurl = \"https://me:p%40ss@a.example/b\"", nullptr},
    Row{"an IPv6 address", "[anomaly.webhook]\nurl = \"https://[::1]:8443/\"", nullptr},
    Row{"nobody", "[anomaly.webhook]\nurl = \"\"", nullptr},
    Row{"without TLS", "[anomaly.webhook]\nurl = \"http://127.0.0.1/hook\"", kForm},
    Row{"a file", "[anomaly.webhook]\nurl = \"file:///etc/passwd\"", kForm},
    Row{"no scheme", "[anomaly.webhook]\nurl = \"a.example\"", kForm},
    Row{"no host", "[anomaly.webhook]\nurl = \"https:///hook\"", kForm},
    Row{"a user without a host", "[anomaly.webhook]\nurl = \"https://me@/hook\"", kForm},
    Row{"two hosts", "[anomaly.webhook]\nurl = \"https://me@a.example@b.example/\"", kForm},
    Row{"a port without a host", "[anomaly.webhook]\nurl = \"https://:8443/hook\"", kForm},
    Row{"a fragment", "[anomaly.webhook]\nurl = \"https://a.example/#b\"", kForm},
    Row{"a blank", "[anomaly.webhook]\nurl = \"https://a.example/ b\"", kForm},
    Row{"a letter that is not ASCII", "[anomaly.webhook]\nurl = \"https://\u00e4.example/\"", kForm},
    Row{"a value in place of the section", "[anomaly]\nwebhook = \"https://a.example/\"",
        "anomaly.webhook is a section: write [anomaly.webhook] and its options below"},
    Row{"a misspelt option", "[anomaly.webhook]\nuri = \"https://a.example/\"",
        R"(unknown option "anomaly.webhook.uri": did you mean "anomaly.webhook.url"?)"},
    Row{"a misspelt section", "[anomaly]\nwebhok = {}",
        R"(unknown option "anomaly.webhok": did you mean "anomaly.webhook"?)"},
    Row{"a relative path", "[anomaly.webhook]\nca = \"ca.pem\"",
        "anomaly.webhook.ca must be an absolute path"},
    Row{"a key in no backend", "[anomaly.webhook]\nbackend = \"b\"",
        "anomaly.webhook.backend names no [[backend]] of this configuration"},
};

BOOST_DATA_TEST_CASE(who_is_told_of_anomalies_is_named_by_an_https_address,
                     boost::unit_test::data::make(kRows), row) {
  const auto parsed = parse_config(kLeast + row.text + "\n");
  const auto* error = std::get_if<ConfigError>(&parsed);
  BOOST_REQUIRE_MESSAGE((error == nullptr) == (row.complaint == nullptr),
                        (error == nullptr ? "" : error->message));
  if (error == nullptr) return;
  BOOST_TEST(error->message == row.complaint);
  BOOST_TEST(error->line == 11);
}

BOOST_AUTO_TEST_CASE(what_is_said_of_anomalies_is_read_and_written_out_again) {
  const Config config = accepted(kLeast + R"([anomaly]
multiple = 3.5
learning = "1h"
quiet = "5m"
suspend = ["new_host", "call_rate"]
[anomaly.webhook]
url = "https://chancery:secret@alerts.example.org:8443/hook?channel=9"
ca = "/etc/chancery/alerts.pem"
backend = "tpm0"
)");
  const WebhookConfig webhook{"https://chancery:secret@alerts.example.org:8443/hook?channel=9",
                              "/etc/chancery/alerts.pem", "tpm0"};
  BOOST_TEST((config.anomaly == AnomalyConfig{3.5, 1h, 5min, {"new_host", "call_rate"}, webhook}));
  BOOST_TEST((accepted(to_toml(config)).anomaly == config.anomaly));
}

BOOST_AUTO_TEST_CASE(another_receiver_takes_a_restart) {
  const Config running = accepted(kLeast);
  Config read = running;
  read.anomaly.webhook.url = "https://a.example";
  const TakenOver taken = take_over(running, read);
  BOOST_TEST(taken.changed.empty());
  BOOST_TEST(taken.need_restart == std::vector<std::string>{"anomaly.webhook.url"},
             boost::test_tools::per_element());
}

}  // namespace
}  // namespace chancery::config
