// That a request waits for a person, and what becomes of it, as the real daemon tells a receiver elsewhere, over TLS.

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <chancery/approval_client.hpp>

#include "daemon/edge/dev_certificate.hpp"
#include "sdk/json/reader.hpp"
#include "tests/integration/daemon/kept_daemon.hpp"
#include "tests/integration/daemon/receiver_process.hpp"
#include "tests/integration/daemon/scrape.hpp"
#include "tests/integration/daemon/spending_daemon.hpp"
#include "tests/integration/edge/raw_client.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;

constexpr const char* kPassword = "pass-1-of-the-receiver";
constexpr const char* kSecret = "secret-argument-4711";

constexpr const char* kGate = R"([[gate]]
name = "refunds"
scopes = ["payments.refund"]
when = "above"
parameter = "amount"
above = 50
approvers = ["user:bob@example.org", "group:finance"]
quorum = 2
)";

/// Where a receiver will listen, and its certificate.
struct Place {
  Place() {
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    BOOST_REQUIRE(
        edge::make_dev_certificate({file("ca.pem"), file("receiver.pem"), file("receiver.key")}, now));
  }
  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return folder.path() / name; }
  [[nodiscard]] std::string address() const { return "https://localhost:" + std::to_string(port) + "/hook"; }
  [[nodiscard]] std::string section() const {
    return "[approvals.webhook]\nurl = \"https://chancery:" + std::string(kPassword) +
           "@localhost:" + std::to_string(port) + "/hook\"\nca = \"" + file("ca.pem").string() + "\"\n" +
           kGate;
  }

  testing::TemporaryFolder folder;
  std::uint16_t port = free_port();
};

/// A daemon that tells of requests where nobody listens yet, and an agent whose refunds above 50 wait.
struct Telling : Place, SpendingDaemon {
  Telling() : SpendingDaemon(section()) {}

  /// A receiver that knows the daemon's keys as they are published now.
  [[nodiscard]] std::unique_ptr<ReceiverProcess> receiver() const {
    auto client = testing::RawClient::to_unix(daemon.socket());
    client.send("GET /.well-known/webhook-jwks.json HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto published = client.receive();
    BOOST_REQUIRE(published);
    std::ofstream(file("keys.json")) << published->body;
    const std::string issuer = member(answered(daemon.client().metadata()).json, "issuer");
    return std::make_unique<ReceiverProcess>(std::vector<std::string>{
        std::to_string(port), file("receiver.pem").string(), file("receiver.key").string(),
        file("keys.json").string(), issuer, address(), file("received").string()});
  }
  static std::string member(const std::string& text, const char* name) {
    const auto document = json::Document::parse(text);
    BOOST_REQUIRE_MESSAGE(document, text);
    const json::Value* const value = document->root().find(name);
    BOOST_REQUIRE_MESSAGE(value != nullptr, text);
    return std::string(value->string().value_or(value->source()));
  }
  /// The `approval` of each message that was taken for good, in order.
  [[nodiscard]] std::vector<std::string> received() const {
    std::ifstream in(file("received"));
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) out.push_back(member(member(line, "claims"), "approval"));
    return out;
  }
  /// The id of a refund that waits.
  [[nodiscard]] std::string asked(int amount) const {
    api::Authorize request = answered(payment(chain, amount));
    request.params = R"({"amount":)" + std::to_string(amount) + R"(,"account":")" + kSecret + "\"}";
    const auto decision = answered(daemon.client().authorize(request));
    BOOST_REQUIRE_MESSAGE(decision.approval, decision.outcome);
    return decision.approval->id;
  }
  void cancel(const std::string& id) const {
    const Client client = daemon.client();
    BOOST_TEST(answered(ApprovalClient(client).cancel(id)).state == "cancelled");
  }
  [[nodiscard]] double counted(const std::string& series) const {
    return metric(scrape(daemon), series).value_or(-1);
  }
  [[nodiscard]] double outcomes(const std::string& outcome) const {
    return counted("chancery_webhook_deliveries_total{about=\"approvals\",outcome=\"" + outcome + "\"}");
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(approvals_webhook)

BOOST_FIXTURE_TEST_CASE(a_receiver_that_was_down_is_told_in_order_also_over_a_restart, Telling) {
  const std::string id = asked(75);
  BOOST_TEST(eventually([&] { return outcomes("failed") >= 1; }));
  BOOST_TEST(spend(chain, 5) == "permit");  // it holds up nobody
  cancel(id);
  BOOST_TEST(counted("chancery_webhook_waiting{about=\"approvals\"}") == 2);
  BOOST_REQUIRE(daemon.stop() == 0);
  daemon.start();
  const auto up = receiver();
  BOOST_REQUIRE(eventually([&] { return outcomes("delivered") == 2; }, 60s));
  BOOST_TEST(counted("chancery_webhook_waiting{about=\"approvals\"}") == 0);

  const auto told = received();
  BOOST_TEST_REQUIRE(told.size() == 2u);
  BOOST_TEST(member(told[0], "state") == "pending");
  BOOST_TEST(member(told[1], "state") == "cancelled");
  for (const std::string& text : told) {
    BOOST_TEST(member(text, "id") == id);
    BOOST_TEST(member(text, "kind") == "action");
    BOOST_TEST(member(text, "scope") == "payments.refund");
    BOOST_TEST(member(text, "principal") == "user:alice@example.org");
    BOOST_TEST(member(text, "agent").ends_with("/orchestrator"), text);
    BOOST_TEST(text.find(R"("approvers": ["user:bob@example.org", "group:finance"])") != std::string::npos,
               text);
    BOOST_TEST(text.find(kSecret) == std::string::npos, text);
  }
  for (const char* const secret : {kPassword, kSecret})
    BOOST_TEST(daemon.output().find(secret) == std::string::npos, daemon.output());
}

BOOST_FIXTURE_TEST_CASE(a_receiver_that_listens_is_told_while_the_request_waits, Telling) {
  const auto up = receiver();
  const std::string id = asked(75);
  BOOST_REQUIRE(eventually([&] { return !received().empty(); }, 60s));
  BOOST_TEST(member(received().front(), "id") == id);
  const Client client = daemon.client();
  BOOST_TEST(answered(ApprovalClient(client).approval(id)).state == "pending");
  BOOST_TEST(counted("chancery_approval_requests_total{kind=\"action\",outcome=\"parked\"}") == 1);
}

BOOST_AUTO_TEST_CASE(a_webhook_that_cannot_be_told_is_refused_before_the_start) {
  struct Row {
    std::string text;
    const char* said;
  };
  for (const Row& row :
       {Row{"[approvals.webhook]\nurl = \"http://localhost/\"", "approvals.webhook.url must be"},
        Row{"[approvals.webhook]\nurl = \"https://localhost/\"\nca = \"/nowhere/ca.pem\"",
            "[approvals.webhook] ca cannot be read"},
        Row{"[approvals.webhook]\nurl = \"https://localhost/\"\nbackend = \"none\"",
            "names no [[backend]]"}}) {
    DaemonProcess daemon({.tcti = "swtpm:path=/nowhere", .extra = row.text + "\n"});
    const auto checked = daemon.check();
    BOOST_TEST(checked.exit_status == 1);
    BOOST_TEST(checked.output.find(row.said) != std::string::npos, checked.output);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
