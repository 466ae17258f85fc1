// `chancery mcp` as a program: how it begins and ends, what it does when others are away, and who may use it.

#include <array>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include <chancery/tool_client.hpp>

#include "sdk/json/reader.hpp"
#include "tests/integration/mcp/bridge_scene.hpp"
#include "tests/integration/runtime/json_answer.hpp"

namespace chancery::tests {
namespace {

using boost::asio::ip::tcp;

constexpr std::uint32_t kSomebodyElse = 54321;

std::uint16_t port_of(const std::string& url) {
  const std::size_t colon = url.rfind(':');
  return static_cast<std::uint16_t>(std::stoi(url.substr(colon + 1)));
}

HttpReply send_to(const std::string& url, const HttpRequest& request) {
  boost::asio::io_context io;
  tcp::socket peer(io);
  boost::system::error_code failed;
  peer.connect({boost::asio::ip::address_v4::loopback(), port_of(url)}, failed);
  if (failed) return {};
  return exchange_with(peer, message_of(request, "127.0.0.1:" + std::to_string(port_of(url))));
}

// A call of 2026-07-28, which needs no session.
HttpReply call_tool(const std::string& url, const std::string& name, const std::string& arguments) {
  const std::string body =
      R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":")" + name + R"(","arguments":)" +
      arguments +
      R"(,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}})";
  const HttpHeaders headers{{"accept", "application/json, text/event-stream"},
                            {"MCP-Protocol-Version", "2026-07-28"},
                            {"Mcp-Method", "tools/call"},
                            {"Mcp-Name", name}};
  return send_to(url, {"POST", "/mcp", headers, body});
}

// What begins a session of 2025-11-25.
HttpReply initialize(const std::string& url) {
  return send_to(
      url,
      {"POST",
       "/mcp",
       {{"accept", "application/json, text/event-stream"}},
       R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}})"});
}

std::shared_ptr<const Session> session_of(const BridgeScene& scene) {
  SessionOptions options;
  options.daemon.socket = scene.daemon.socket().string();
  return answered(Session::open(options, scene.chain()));
}

ToolClient tools_of(const BridgeScene& scene) {
  ToolClientOptions options;
  options.runtime = BridgeScene::kUrl;
  options.socket = scene.runtime.socket().string();
  auto tools = ToolClient::connect(options, session_of(scene));
  BOOST_REQUIRE(tools);
  return *std::move(tools);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bridge)

BOOST_FIXTURE_TEST_CASE(a_pipe_has_an_answer_a_line_and_nothing_else, BridgeScene) {
  std::ofstream(folder() / "input")
      << R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}})"
      << "\n"
      << R"({"jsonrpc":"2.0","method":"notifications/initialized"})"
      << "\n\nno JSON\n"
      << R"({"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"refund","arguments":{"charge":"ch_1","order":{"amount":5}}}})"
      << "\n"
      << R"({"jsonrpc":"2.0","id":3,"method":"ping"})";  // and no line end
  const ProgramResult end = run({}, folder() / "input");
  BOOST_TEST(end.exit_status == 0, end.output);
  std::istringstream lines(end.output);
  std::vector<std::string> answers, notes;
  for (std::string line; std::getline(lines, line);) {
    const bool is_note = line.starts_with("chancery: ");  // on standard error
    (is_note ? notes : answers).push_back(line);
    const auto document = json::Document::parse(line);
    BOOST_TEST((is_note || (document && document->canonical())), line);
  }
  BOOST_TEST(answers.size() == 4u, end.output);
  BOOST_TEST(has(end.output, R"("structuredContent":{"amount":75,"id":"re_1"})"));
  BOOST_REQUIRE(notes.size() == 2u);
  BOOST_TEST(has(notes[1], "refund: done, permit "), notes[1]);
  expect_no_secret_in(end.output);
}

namespace {

struct Start {
  const char* name;
  std::vector<std::string> more;
  int exit_status;
  const char* says;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(what_cannot_work_is_said_at_the_start, BridgeScene) {
  const std::array kStarts{
      Start{"every interface", {"--listen", "0.0.0.0:8787"}, 2, "listens on loopback alone"},
      Start{"another host", {"--listen", "192.0.2.1:8787"}, 2, "listens on loopback alone"},
      Start{"a port alone", {"--listen", "8787"}, 2, "listens on loopback alone"},
      Start{"an origin for a pipe", {"--origin", "http://localhost:3000"}, 2, "--origin goes with --listen"},
      Start{"the chain from the pipe", {"--chain", "-"}, 2, "cannot come from standard input"},
      Start{"a lifetime beyond what a session may have", {"--lifetime", "1h"}, 1, "lifetime"},
      Start{"no runtime",
            {"--runtime-socket", (folder() / "nobody.sock").string()},
            2,
            "runtime does not answer"},
      Start{"no daemon", {"--socket", (folder() / "nobody.sock").string()}, 2, "no daemon at this socket"},
  };
  for (const Start& row : kStarts) {
    const ProgramResult end = run(row.more);
    BOOST_TEST(end.exit_status == row.exit_status, row.name << ": " << end.output);
    BOOST_TEST(has(end.output, row.says), row.name << ": " << end.output);
  }
}

BOOST_FIXTURE_TEST_CASE(a_chain_that_is_of_no_use_here_is_refused_with_the_reason, BridgeScene) {
  use_chain({"payments.refund"}, "https://elsewhere.test.example");
  const ProgramResult elsewhere = run();
  BOOST_TEST(elsewhere.exit_status == 1, elsewhere.output);
  BOOST_TEST(has(elsewhere.output, "not for this runtime"), elsewhere.output);
  BOOST_TEST(has(elsewhere.output, "it is for https://elsewhere.test.example"), elsewhere.output);

  use_chain({"payments.refund"}, kUrl, std::chrono::seconds(1));
  BOOST_REQUIRE(eventually([&] { return has(run().output, "expired"); }));
  const ProgramResult expired = run();
  BOOST_TEST(expired.exit_status == 1, expired.output);

  std::ofstream(folder() / "agent.chain") << "no chain\n";
  BOOST_TEST(run().exit_status == 2);
}

BOOST_FIXTURE_TEST_CASE(a_runtime_or_a_daemon_that_is_away_refuses_calls_until_it_is_back, BridgeScene) {
  const std::string url = listen();
  const std::string refund = R"({"charge":"ch_1","order":{"amount":5}})";
  BOOST_TEST(has(call_tool(url, "refund", refund).body, "re_1"));
  runtime.stop();
  const HttpReply away = call_tool(url, "refund", refund);
  BOOST_TEST(away.status == 200, away.body);
  BOOST_TEST(has(away.body, R"("chancery/refusal":{"code":"connect_failed","kind":"failed"})"), away.body);
  BOOST_TEST(has(away.body, "the runtime does not answer"), away.body);
  runtime.start();
  BOOST_TEST(has(call_tool(url, "refund", refund).body, "re_1"));
  daemon.stop();
  const HttpReply undecided = call_tool(url, "refund", refund);
  BOOST_TEST(has(undecided.body, R"("isError":true)"), undecided.body);
  BOOST_TEST(has(undecided.body, "nothing was done"), undecided.body);
  daemon.start();
  BOOST_TEST(has(call_tool(url, "refund", refund).body, "re_1"));
  BOOST_TEST(upstream.seen().size() == 3u);
}

namespace {

/// What a bridge is asked, and what its own user is answered.
struct Asked {
  const char* name;
  HttpReply (*ask)(const std::string& url);
  int own_status;
};

const std::array kAsked{
    Asked{"a call",
          [](const std::string& url) {
            return call_tool(url, "refund", R"({"charge":"ch_1","order":{"amount":5}})");
          },
          200},
    Asked{"a session", initialize, 200},
    Asked{"another path",
          [](const std::string& url) {
            return send_to(url, {"GET", "/", {}, {}});
          },
          404},
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(the_port_is_for_the_user_of_the_bridge_alone, BridgeScene,
                        *boost::unit_test::precondition([](auto) {
                          boost::test_tools::assertion_result can(::geteuid() == 0);
                          can.message() << "only root can become somebody else";
                          return can;
                        })) {
  const std::string url = listen();
  for (const Asked& row : kAsked) {
    const int status = run_as(kSomebodyElse, [&] { return row.ask(url).status == 403 ? 0 : 1; });
    BOOST_TEST(status == 0, row.name);
  }
  BOOST_TEST(upstream.seen().empty());
  BOOST_TEST(entries("tool.permit") == 0u);
  for (const Asked& row : kAsked) BOOST_TEST(row.ask(url).status == row.own_status, row.name);
  BOOST_TEST(upstream.seen().size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_bridge_leaves_no_core_and_ends_when_it_is_told_to, BridgeScene) {
  listen();
  std::ifstream limits("/proc/" + std::to_string(listener()) + "/limits");
  const std::string text{std::istreambuf_iterator<char>(limits), {}};
  const std::size_t at = text.find("Max core file size");
  BOOST_REQUIRE(at != std::string::npos);
  std::istringstream row(text.substr(at + 18));
  std::string soft, hard;
  row >> soft >> hard;
  BOOST_TEST(soft == "0");
  BOOST_TEST(hard == "0");
  BOOST_TEST(end_listener() == 0);
}

// A key's proofs are remembered for six minutes, a thousand of them and no more.
BOOST_FIXTURE_TEST_CASE(more_calls_are_made_than_one_key_may_prove, BridgeScene) {
  const ToolClient tools = tools_of(*this);
  constexpr int kCalls = 1'100;
  int done = 0;
  for (int i = 0; i < kCalls; ++i) {
    const auto outcome = tools.call("test_simple_text", "{}");
    done += outcome && outcome->kind == ToolOutcome::Kind::kDone ? 1 : 0;
  }
  BOOST_TEST(done == kCalls);
  BOOST_TEST(entries("token.session") == 2u);
}

BOOST_FIXTURE_TEST_CASE(an_agent_in_cpp_calls_tools_by_itself, BridgeScene) {
  const ToolClient tools = tools_of(*this);
  const auto done = answered(tools.call("refund", R"({ "order": {"amount": 7.50}, "charge": "ch_1" })"));
  BOOST_TEST((done.kind == ToolOutcome::Kind::kDone), done.message);
  BOOST_TEST(done.result == R"({"amount":75,"id":"re_1"})");
  BOOST_TEST(done.permit.size() == 32u);
  BOOST_TEST(has(done.receipt, done.permit));
  const auto denied = answered(tools.call("refund", R"({"charge":"ch_1","order":{"amount":101}})"));
  BOOST_TEST((denied.kind == ToolOutcome::Kind::kDenied));
  BOOST_TEST(denied.code == "ceiling_exceeded");
  BOOST_TEST((answered(tools.call("inbox", "{}")).kind == ToolOutcome::Kind::kUnknown));
  const auto no_object = tools.call("refund", "[1]");
  BOOST_REQUIRE(!no_object);
  BOOST_TEST((no_object.error().error.code == ErrorCode::kMalformed));
}

BOOST_FIXTURE_TEST_CASE(the_example_calls_a_tool, BridgeScene) {
  const std::vector<std::string> command{"/usr/bin/env",
                                         "CHANCERY_SOCKET=" + daemon.socket().string(),
                                         "CHANCERY_RUNTIME_SOCKET=" + runtime.socket().string(),
                                         CHANCERY_BINARY_DIR "/example_tools",
                                         kUrl,
                                         (folder() / "agent.chain").string(),
                                         "refund"};
  std::vector<std::string> within = command, above = command;
  within.emplace_back(R"({"charge":"ch_1","order":{"amount":75}})");
  above.emplace_back(R"({"charge":"ch_1","order":{"amount":1000}})");
  const ProgramResult done = run_program(within);
  BOOST_TEST(done.exit_status == 0);
  BOOST_TEST(done.output == "{\"amount\":75,\"id\":\"re_1\"}\n");
  const ProgramResult denied = run_program(above);
  BOOST_TEST(denied.exit_status == 1);
  BOOST_TEST(has(denied.output, "ceiling_exceeded"), denied.output);
}

BOOST_FIXTURE_TEST_CASE(a_tool_that_is_declared_otherwise_by_now_is_looked_up_again, BridgeScene) {
  const ToolClient tools = tools_of(*this);
  BOOST_TEST(answered(tools.list()).size() == 5u);
  runtime.stop();
  runtime.declare("test_simple_text", R"([tool]
name = "test_simple_text"
description = "Needs another scope now."
scope = "tests.other"
risk = "low"
[tool.http]
method = "GET"
url = ")" + upstream.url() + R"(/text"
allow_addresses = ["127.0.0.1/32"]
[tool.response]
allow = [""]
)");
  runtime.start();
  const auto outcome = answered(tools.call("test_simple_text", "{}"));
  BOOST_TEST((outcome.kind == ToolOutcome::Kind::kDone), outcome.message);
}

BOOST_FIXTURE_TEST_CASE(a_call_that_is_given_up_ends_before_its_answer, BridgeScene) {
  const ToolClient tools = tools_of(*this);
  std::stop_source stop;
  std::jthread giving_up([&] {
    if (eventually([&] { return entries("tool.permit", R"("tool":"slow")") == 1; })) stop.request_stop();
  });
  const auto outcome = tools.call("slow", "{}", stop.get_token());
  BOOST_REQUIRE(!outcome);
  BOOST_TEST((outcome.error().error.code == ErrorCode::kTimeout));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
