#include <atomic>
#include <future>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include <boost/test/unit_test.hpp>

#include <chancery/session.hpp>
#include <chancery/tool_client.hpp>

#include "tests/unit/client/fake_daemon.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

// Tools of a runtime that goes away at the wrong time, or is not there.

namespace {

using namespace chancery;
using chancery::testing::Connection;
using chancery::testing::FakeDaemon;
using chancery::testing::http_answer;

constexpr const char* kTools =
    R"({"tools":[{"name":"pay","scope":"payments.pay","arguments":{"type":"object"},"parameters":{}}]})";

/// A session with a daemon that opens one.
struct AgentScene {
  [[nodiscard]] std::shared_ptr<const Session> session() const {
    SessionOptions options;
    options.daemon.socket = daemon->socket();
    return Session::open(options, {"g.h.i"}).value();
  }
  [[nodiscard]] ToolClient tools(const std::string& socket) const {
    ToolClientOptions options;
    options.runtime = "https://tools.example.org";
    options.socket = socket;
    return ToolClient::connect(options, session()).value();
  }

  const std::unique_ptr<FakeDaemon> daemon = FakeDaemon::on_socket([](Connection& connection) {
    const bool is_question = connection.read_request().starts_with("GET ");
    connection.write(http_answer(is_question ? 200 : 201, "application/json",
                                 is_question ? R"({"issuer":"https://chancery.example"})"
                                             : R"({"chain":["g.h.i","j.k.l"],"expires_at":4000000000})"));
  });
};

bool has(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_SUITE(tool_client)

BOOST_FIXTURE_TEST_CASE(of_a_call_that_a_runtime_read_before_it_went_away_nobody_knows, AgentScene) {
  const auto runtime = FakeDaemon::on_socket([](Connection& connection) {
    if (connection.read_request().starts_with("GET "))
      connection.write(http_answer(200, "application/json", kTools));
  });
  const auto outcome = tools(runtime->socket()).call("pay", "{}");
  BOOST_REQUIRE(!outcome);
  BOOST_TEST((outcome.error().error.code == ErrorCode::kBadResponse), outcome.error().error.what);
  BOOST_TEST(has(outcome.error().error.what, "nobody knows whether a call was made"));
}

BOOST_FIXTURE_TEST_CASE(a_list_that_a_runtime_does_not_answer_did_nothing, AgentScene) {
  const auto runtime = FakeDaemon::on_socket([](Connection& connection) { connection.read_request(); });
  const auto outcome = tools(runtime->socket()).call("pay", "{}");
  BOOST_REQUIRE(!outcome);
  BOOST_TEST((outcome.error().error.code == ErrorCode::kConnectFailed), outcome.error().error.what);
}

BOOST_FIXTURE_TEST_CASE(a_socket_that_is_not_there_is_told_from_a_runtime_that_says_nothing, AgentScene) {
  const chancery::testing::TemporaryFolder folder;
  const auto listed = tools((folder.path() / "none.sock").string()).list();
  BOOST_REQUIRE(!listed);
  BOOST_TEST((listed.error().error.code == ErrorCode::kConnectFailed));
  BOOST_TEST(has(listed.error().error.what, "nothing is at its socket"), listed.error().error.what);
}

/// A runtime that reads a request and answers nothing. Once it has read one, whoever asked is to give up.
struct SilentRuntime {
  std::promise<void> asked;
  std::stop_source stop;
  std::unique_ptr<FakeDaemon> runtime = FakeDaemon::on_socket([this](Connection& connection) {
    connection.read_request();
    asked.set_value();
    connection.wait_for_peer();
  });
  std::jthread stopping{[this] {
    asked.get_future().wait();
    stop.request_stop();
  }};
};

BOOST_FIXTURE_TEST_CASE(a_list_is_given_up, AgentScene) {
  SilentRuntime silent;
  const auto listed = tools(silent.runtime->socket()).list(silent.stop.get_token());
  BOOST_REQUIRE(!listed);
  BOOST_TEST((listed.error().error.code == ErrorCode::kTimeout));
  BOOST_TEST(has(listed.error().error.what, "given up"), listed.error().error.what);
}

BOOST_FIXTURE_TEST_CASE(what_was_given_up_before_reaches_no_runtime, AgentScene) {
  std::atomic<int> reached = 0;
  const auto runtime = FakeDaemon::on_socket([&](Connection&) { ++reached; });
  std::stop_source stop;
  stop.request_stop();
  const ToolClient client = tools(runtime->socket());
  const auto listed = client.list(stop.get_token());
  const auto called = client.call("pay", "{}", stop.get_token());
  BOOST_REQUIRE((!listed && !called));
  BOOST_TEST(has(listed.error().error.what, "given up"), listed.error().error.what);
  BOOST_TEST(has(called.error().error.what, "given up"), called.error().error.what);
  BOOST_TEST(reached == 0);
}

BOOST_FIXTURE_TEST_CASE(a_call_is_given_up_while_its_tool_is_looked_up, AgentScene) {
  SilentRuntime silent;
  const auto outcome = tools(silent.runtime->socket()).call("pay", "{}", silent.stop.get_token());
  BOOST_REQUIRE(!outcome);
  BOOST_TEST(has(outcome.error().error.what, "given up"), outcome.error().error.what);
}

BOOST_AUTO_TEST_SUITE_END()
