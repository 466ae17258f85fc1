// A call that waits for a person, as agents of both versions of MCP meet it: with the real bridge, runtime and daemon.

#include <chrono>
#include <fstream>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/approval_client.hpp>
#include <chancery/approval_decision.hpp>

#include "sdk/crypto/signing_key.hpp"
#include "tests/integration/mcp/bridge_scene.hpp"
#include "tests/integration/runtime/json_answer.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::tests {
namespace {

using boost::asio::ip::tcp;

constexpr const char* kBob = "user:bob@example.org";
constexpr const char* kShowsPages = R"({"elicitation":{"url":{}}})";
constexpr const char* kShowsNone = "{}";
constexpr const char* kGate = R"([[gate]]
name = "refunds"
tools = ["refund"]
when = "above"
parameter = "amount"
above = 50
approvers = ["user:bob@example.org"]
)";

/// The least that a daemon serves as a console.
struct Pages {
  Pages() {
    std::filesystem::create_directory(files.path() / "assets");
    std::ofstream(files.path() / "index.html") << "<!doctype html><title>Chancery</title>";
    std::ofstream(files.path() / "assets" / "index-1.js") << "1;";
  }
  [[nodiscard]] std::string section() const {
    return "[console]\nenabled = true\nrp_id = \"console.test.example\"\n"
           "origins = [\"https://console.test.example\"]\nfiles = \"" +
           files.path().string() + "\"\n";
  }
  testing::TemporaryFolder files;
};

/// A bridge in front of a refund of more than 50, and Bob who opens the gate.
struct Gated : Pages, BridgeScene {
  explicit Gated(bool has_console = true) : BridgeScene((has_console ? section() : std::string()) + kGate) {
    enroll_first(daemon.client(), kBob, bob.public_key());
    url = listen();
  }

  /// A request of 2026-07-28. \return its result
  [[nodiscard]] std::string call(const std::string& capabilities, const std::string& more = {}) const {
    const std::string body =
        R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"refund","arguments":)"
        R"({"charge":"ch_1","order":{"amount":60}},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
        R"("io.modelcontextprotocol/clientCapabilities":)" +
        capabilities + "}" + more + "}}";
    const HttpHeaders headers{{"accept", "application/json, text/event-stream"},
                              {"MCP-Protocol-Version", "2026-07-28"},
                              {"Mcp-Method", "tools/call"},
                              {"Mcp-Name", "refund"}};
    boost::asio::io_context io;
    tcp::socket peer(io);
    const auto port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
    peer.connect({boost::asio::ip::address_v4::loopback(), port});
    const HttpReply reply =
        exchange_with(peer, message_of({"POST", "/mcp", headers, body}, "127.0.0.1:" + std::to_string(port)));
    BOOST_REQUIRE_MESSAGE(reply.status == 200, reply.body);
    const std::string result = member(reply.body, "result");
    BOOST_REQUIRE_MESSAGE(!result.empty(), reply.body);
    return result;
  }
  /// The request that a result says the call waits for.
  [[nodiscard]] static std::string pending(const std::string& result, const char* name) {
    return member(member(member(result, "_meta"), "chancery/pending"), name);
  }
  [[nodiscard]] std::string state_of(const std::string& id) const {
    const Client client = daemon.client();
    return answered(ApprovalClient(client).approval(id)).state;
  }
  void approve(const std::string& id) const {
    const Client client = daemon.client();
    ApprovalDecision decision;
    decision.approver = kBob;
    decision.request = id;
    decision.request_sha256 = answered(ApprovalClient(client).approval(id)).sha256;
    decision.verdict = ApprovalVerdict::kApprove;
    decision.issued_at = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    decision.key = bob.public_key().thumbprint();
    const std::string input = approval_decision_input(decision, Algorithm::kES256);
    const auto signature = bob.sign(as_bytes(input));
    BOOST_REQUIRE(signature);
    answered(ApprovalClient(client).decide(id, {signed_by_key(input, *signature), {}}));
  }

  SigningKey bob = SigningKey::generate(Algorithm::kES256).value();
  std::string url;
};

struct WithoutConsole : Gated {
  WithoutConsole() : Gated(false) {}
};

std::string answer_of(const std::string& id, const char* action) {
  return R"(,"requestState":")" + id + R"(","inputResponses":{"approval":{"action":")" + action + "\"}}";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bridge_approvals)

BOOST_FIXTURE_TEST_CASE(an_agent_that_shows_pages_is_given_the_consoles_and_its_answer_decides_nothing,
                        Gated) {
  const std::string asked = call(kShowsPages);
  BOOST_TEST(member(asked, "resultType") == "input_required", asked);
  const std::string id = member(asked, "requestState");
  const std::string page = member(member(member(asked, "inputRequests"), "approval"), "params");
  BOOST_TEST(member(page, "mode") == "url", asked);
  BOOST_TEST(member(page, "url") == "https://console.test.example/ui#/approvals/" + id);
  for (const char* action : {"accept", "decline", "cancel"}) {
    const std::string again = call(kShowsPages, answer_of(id, action));
    BOOST_TEST(member(again, "isError") == "true", again);
    BOOST_TEST(pending(again, "request") == id);
    BOOST_TEST(state_of(id) == "pending", action);
  }
  BOOST_TEST(upstream.seen().empty());

  approve(id);
  const std::string done = call(kShowsPages, answer_of(id, "accept"));
  BOOST_TEST(has(done, "re_1"), done);
  BOOST_TEST(upstream.seen().size() == 1u);
  BOOST_TEST(state_of(id) == "used");
}

BOOST_FIXTURE_TEST_CASE(an_agent_that_shows_none_is_told_what_to_do, Gated) {
  const std::string asked = call(kShowsNone);
  BOOST_TEST(member(asked, "isError") == "true", asked);
  const std::string id = pending(asked, "request");
  BOOST_TEST(has(asked, "This call was not made"), asked);
  BOOST_TEST(has(asked, "https://console.test.example/ui#/approvals/" + id), asked);
  approve(id);
  BOOST_TEST(has(call(kShowsNone), "re_1"));
  BOOST_TEST(upstream.seen().size() == 1u);
}

// On a pipe, which is one session of 2025-11-25.
BOOST_FIXTURE_TEST_CASE(an_agent_of_2025_11_25_gets_a_result_that_says_what_to_do, Gated) {
  std::ofstream(folder() / "input")
      << R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":)"
      << kShowsPages << R"(,"clientInfo":{"name":"x","version":"1"}}})"
      << "\n"
      << R"({"jsonrpc":"2.0","method":"notifications/initialized"})"
      << "\n"
      << R"({"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"refund","arguments":{"charge":"ch_1","order":{"amount":60}}}})"
      << "\n";
  const ProgramResult end = run({}, folder() / "input");
  BOOST_TEST(end.exit_status == 0, end.output);
  BOOST_TEST(!has(end.output, "input_required"), end.output);
  BOOST_TEST(has(end.output, R"("isError":true)"), end.output);
  BOOST_TEST(has(end.output, "Somebody who may decides at https://console.test.example/ui#/approvals/"),
             end.output);
  BOOST_TEST(upstream.seen().empty());
}

// There is no page to show: everybody reads the same.
BOOST_FIXTURE_TEST_CASE(without_a_console_no_page_is_named, WithoutConsole) {
  const std::string asked = call(kShowsPages);
  BOOST_TEST(member(asked, "isError") == "true", asked);
  BOOST_TEST(pending(asked, "url").empty());
  const std::string id = pending(asked, "request");
  BOOST_TEST(state_of(id) == "pending");
  approve(id);
  BOOST_TEST(has(call(kShowsPages), "re_1"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
