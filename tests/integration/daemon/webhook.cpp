// Anomalies that the real daemon tells a receiver elsewhere, over TLS: one that has nothing of Chancery's, that may be down,
// and that may be somebody else.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include <chancery/overview_client.hpp>

#include "daemon/edge/dev_certificate.hpp"
#include "sdk/json/reader.hpp"
#include "tests/integration/daemon/kept_daemon.hpp"
#include "tests/integration/daemon/receiver_process.hpp"
#include "tests/integration/daemon/scrape.hpp"
#include "tests/integration/edge/raw_client.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;

constexpr const char* kIssuer = "https://issuer.test.example";
constexpr const char* kPassword = "pass-1-of-the-receiver";
constexpr const char* kToken = "token-2-of-the-receiver";

/// A daemon that tells its anomalies to an address at which nobody listens yet, and an agent.
struct Telling {
  Telling() {
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    for (const char* const name : {"receiver", "other"})
      BOOST_REQUIRE(
          edge::make_dev_certificate({file(name, "-ca.pem"), file(name, ".pem"), file(name, ".key")}, now));
    trust("receiver");
    daemon.start();
    answered(daemon.client().create_agent(agent_of("support", ::geteuid())));
    chain = answered(daemon.client().grant(grant_to("support"))).chain;
  }

  [[nodiscard]] std::filesystem::path file(const std::string& name, const char* ending = "") const {
    return folder.path() / (name + ending);
  }
  /// Has the daemon believe that authority from its next attempt on.
  void trust(const std::string& name) const {
    std::filesystem::copy_file(file(name, "-ca.pem"), file("ca.pem"),
                               std::filesystem::copy_options::overwrite_existing);
  }
  [[nodiscard]] std::string address() const { return "https://localhost:" + std::to_string(port) + "/hook"; }
  [[nodiscard]] std::string section() const {
    const std::string url = "https://chancery:" + std::string(kPassword) +
                            "@localhost:" + std::to_string(port) + "/hook?token=" + kToken;
    return "[anomaly]\nlearning = \"1s\"\n[anomaly.webhook]\nurl = \"" + url + "\"\nca = \"" +
           file("ca.pem").string() + "\"\n";
  }

  /// A receiver that knows the daemon's keys as they are published now.
  [[nodiscard]] std::unique_ptr<ReceiverProcess> receiver() const {
    auto client = testing::RawClient::to_unix(daemon.socket());
    client.send("GET /.well-known/webhook-jwks.json HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto published = client.receive();
    BOOST_REQUIRE(published);
    std::ofstream(file("keys.json")) << published->body;
    return std::make_unique<ReceiverProcess>(std::vector<std::string>{
        std::to_string(port), file("receiver.pem").string(), file("receiver.key").string(),
        file("keys.json").string(), kIssuer, address(), file("received").string()});
  }
  /// What it wrote down, a line each.
  [[nodiscard]] std::vector<std::string> received() const {
    std::ifstream in(file("received"));
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }

  /// The agent shows its chain to one new host after the other, until it is no longer only learned.
  void behave_oddly() const {
    for (int i = 0; counted("chancery_anomalies_total{kind=\"new_host\"}") == 0; ++i) {
      BOOST_REQUIRE(i < 60);
      answered(daemon.client().prove(
          {chain, "POST", "https://host-" + std::to_string(i) + ".example/", std::nullopt}));
      std::this_thread::sleep_for(400ms);
    }
    BOOST_REQUIRE(eventually([&] { return !anomalies().empty(); }));
  }
  [[nodiscard]] std::vector<api::Anomaly> anomalies() const {
    return answered(OverviewClient(daemon.client()).anomalies()).anomalies;
  }
  [[nodiscard]] double counted(const std::string& series) const {
    return metric(scrape(daemon), series).value_or(-1);
  }
  [[nodiscard]] double outcomes(const std::string& outcome) const {
    return counted("chancery_webhook_deliveries_total{about=\"anomalies\",outcome=\"" + outcome + "\"}");
  }

  testing::TemporaryFolder folder;
  std::uint16_t port = free_port();
  simulators::Swtpm tpm = required(simulators::Swtpm::start());
  DaemonProcess daemon{{.tcti = tpm.tcti(), .extra = section(), .issuer_url = kIssuer}};
  std::vector<std::string> chain;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(webhook)

BOOST_FIXTURE_TEST_CASE(a_receiver_that_was_down_is_told_once_it_is_up_also_over_a_restart, Telling) {
  behave_oddly();
  BOOST_TEST(eventually([&] { return outcomes("failed") >= 1; }));
  BOOST_TEST(counted("chancery_webhook_waiting{about=\"anomalies\"}") == 1);
  BOOST_REQUIRE(daemon.stop() == 0);
  daemon.start();
  const auto up = receiver();
  BOOST_REQUIRE(eventually([&] { return !received().empty(); }, 60s));
  BOOST_TEST(eventually([&] { return counted("chancery_webhook_waiting{about=\"anomalies\"}") == 0; }));
  BOOST_TEST(outcomes("delivered") == 1);

  const auto lines = received();
  const auto found = anomalies();
  BOOST_TEST_REQUIRE(lines.size() == 1u);
  BOOST_TEST_REQUIRE(found.size() == 1u);
  const auto line = json::Document::parse(lines.front());
  BOOST_REQUIRE(line);
  const json::Value* const claims = line->root().find("claims");
  BOOST_REQUIRE_MESSAGE(claims != nullptr, lines.front());
  const json::Value& anomaly = *claims->find("anomaly");
  BOOST_TEST(anomaly.find("id")->integer().value() == found.front().id);
  BOOST_TEST(anomaly.find("agent")->string().value() == "support");
  BOOST_TEST(anomaly.find("kind")->string().value() == "new_host");
  BOOST_TEST(anomaly.find("what")->string().value() == found.front().what);
  const auto request = line->root().find("request")->items();
  BOOST_TEST(request[0].string().value() == "POST /hook?token=" + std::string(kToken) + " HTTP/1.1");
  BOOST_TEST(request[1].string().value().starts_with("Basic "));
  for (const char* const secret : {kPassword, kToken})
    BOOST_TEST(daemon.output().find(secret) == std::string::npos, daemon.output());
}

BOOST_FIXTURE_TEST_CASE(whoever_has_another_certificate_is_told_nothing, Telling) {
  trust("other");
  const auto up = receiver();
  behave_oddly();
  BOOST_TEST(eventually([&] { return outcomes("failed") >= 2; }));
  BOOST_TEST(received().empty());
  BOOST_TEST(outcomes("delivered") == 0);
  BOOST_TEST(counted("chancery_webhook_waiting{about=\"anomalies\"}") == 1);
  BOOST_TEST(daemon.output().find("could not be told to the webhook") != std::string::npos, daemon.output());
  BOOST_TEST(daemon.output().find("certificate is not trusted") != std::string::npos, daemon.output());
  trust("receiver");
  BOOST_TEST(eventually([&] { return outcomes("delivered") == 1; }, 60s));
  BOOST_TEST(received().size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_key_that_was_rotated_is_published_before_it_signs, Telling) {
  const Client client = daemon.client();
  const auto rotated = answered(OverviewClient(client).rotate_webhook_key());
  BOOST_REQUIRE(rotated.former.has_value());
  const auto published = answered(OverviewClient(client).webhook_jwks()).keys;
  BOOST_TEST_REQUIRE(published.size() == 2u);
  BOOST_TEST(published.front().thumbprint().text() == rotated.key.jkt);
  BOOST_TEST(answered(OverviewClient(client).webhook_keys()).keys.size() == 2u);
  const auto up = receiver();
  behave_oddly();
  BOOST_TEST(eventually([&] { return outcomes("delivered") == 1; }, 60s));
  BOOST_TEST_REQUIRE(received().size() == 1u);
  BOOST_TEST(received().front().find("\"claims\"") != std::string::npos, received().front());
  const auto status =
      run_program({CHANCERY_BINARY_DIR "/chancery", "status", "--socket", daemon.socket().string()});
  BOOST_TEST(status.exit_status == 0, status.output);
  BOOST_TEST(status.output.find("\n  webhook key  " + rotated.key.jkt) != std::string::npos, status.output);
  BOOST_TEST(status.output.find("\n  audit log    ") != std::string::npos, status.output);
  BOOST_TEST(status.output.find(" entries, signed up to ") != std::string::npos, status.output);
}

BOOST_AUTO_TEST_CASE(a_webhook_that_cannot_be_told_is_refused_before_the_start) {
  struct Row {
    std::string section;
    const char* said;
  };
  for (const Row& row :
       {Row{"url = \"http://localhost/" + std::string(kToken) + "\"", "anomaly.webhook.url must be"},
        Row{"url = \"https://localhost/\"\nca = \"/nowhere/ca.pem\"", "ca cannot be read"},
        Row{"url = \"https://localhost/\"\nbackend = \"none\"", "names no [[backend]]"}}) {
    DaemonProcess daemon(
        {.tcti = "swtpm:path=/nowhere", .extra = "[anomaly.webhook]\n" + row.section + "\n"});
    const auto checked = daemon.check();
    BOOST_TEST(checked.exit_status == 1);
    BOOST_TEST(checked.output.find(row.said) != std::string::npos, checked.output);
    BOOST_TEST(checked.output.find(kToken) == std::string::npos, checked.output);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
