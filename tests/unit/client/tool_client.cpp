#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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

// --- a call that waits for a person

namespace {

std::string waits_for(const std::string& request, const std::string& until = "4000000000") {
  return http_answer(202, "application/json",
                     R"({"approval":")" + request +
                         R"(","code":"approval_required","document":{},"expires_at":)" + until +
                         R"(,"message":"waits","outcome":"approval_required"})");
}
std::string done() {
  return http_answer(200, "application/json", R"({"outcome":"done","result":{"id":"re_1"}})");
}

/// A runtime that answers the calls one after the other, and the last answer from then on.
struct Waiting : AgentScene {
  explicit Waiting(std::vector<std::string> answers_) : answers(std::move(answers_)) {
    wait.pause = wait.longest_pause = std::chrono::milliseconds(1);
    wait.waiting = [this](const ToolOutcome& outcome) { told.push_back(outcome.approval); };
  }
  [[nodiscard]] ClientResult<ToolOutcome> call(const std::stop_token& stop = {}) const {
    return tools(runtime->socket()).call_and_wait("pay", "{}", wait, stop);
  }

  const std::vector<std::string> answers;
  std::atomic<std::size_t> calls = 0;
  std::vector<std::string> told;
  ApprovalWait wait;
  std::unique_ptr<FakeDaemon> runtime = FakeDaemon::on_socket([this](Connection& connection) {
    if (connection.read_request().starts_with("GET ")) {
      connection.write(http_answer(200, "application/json", kTools));
    } else {
      connection.write(answers[std::min(calls++, answers.size() - 1)]);
    }
  });
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_call_that_waits_is_made_again_until_it_is_done_and_told_of_once) {
  Waiting scene({waits_for("r1"), waits_for("r1"), waits_for("r1"), done()});
  const auto outcome = scene.call();
  BOOST_REQUIRE(outcome);
  BOOST_TEST((outcome->kind == ToolOutcome::Kind::kDone));
  BOOST_TEST(scene.calls == 4u);
  BOOST_TEST(scene.told == std::vector<std::string>{"r1"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(another_request_is_not_waited_for_in_place_of_the_first) {
  Waiting scene({waits_for("r1"), waits_for("r2"), done()});
  const auto outcome = scene.call();
  BOOST_REQUIRE(outcome);
  BOOST_TEST((outcome->kind == ToolOutcome::Kind::kApproval));
  BOOST_TEST(outcome->approval == "r2");
  BOOST_TEST(scene.calls == 2u);
}

BOOST_AUTO_TEST_CASE(what_nobody_decided_in_time_is_not_waited_for) {
  Waiting scene({waits_for("r1", "1"), done()});
  const auto outcome = scene.call();
  BOOST_REQUIRE(outcome);
  BOOST_TEST((outcome->kind == ToolOutcome::Kind::kApproval));
  BOOST_TEST(scene.calls == 1u);
}

// Nobody can approve it.
BOOST_AUTO_TEST_CASE(what_cannot_be_approved_is_not_waited_for) {
  Waiting scene({waits_for(""), done()});
  const auto outcome = scene.call();
  BOOST_REQUIRE(outcome);
  BOOST_TEST(scene.calls == 1u);
  BOOST_TEST(scene.told.empty());
}

BOOST_AUTO_TEST_CASE(whoever_watches_for_the_decision_spares_the_pauses) {
  Waiting scene({waits_for("r1"), done()});
  scene.wait.pause = scene.wait.longest_pause = std::chrono::hours(1);
  std::vector<std::string> watched;
  scene.wait.watch = [&](const ToolOutcome& outcome, std::chrono::milliseconds most, const std::stop_token&) {
    watched.push_back(outcome.approval + (most == std::chrono::hours(1) ? " for an hour" : ""));
  };
  const auto outcome = scene.call();
  BOOST_REQUIRE(outcome);
  BOOST_TEST((outcome->kind == ToolOutcome::Kind::kDone));
  BOOST_TEST(watched == std::vector<std::string>{"r1 for an hour"}, boost::test_tools::per_element());
}

// What is approved during the last pause is done: that ends before the request does.
BOOST_AUTO_TEST_CASE(the_last_look_is_before_the_request_expires) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  Waiting scene({waits_for("r1", std::to_string(now.time_since_epoch().count() + 60)), done()});
  scene.wait.pause = scene.wait.longest_pause = std::chrono::hours(1);
  std::chrono::milliseconds longest{0};
  scene.wait.watch = [&](const ToolOutcome&, std::chrono::milliseconds most, const std::stop_token&) {
    longest = most;
  };
  const auto outcome = scene.call();
  BOOST_REQUIRE(outcome);
  BOOST_TEST((outcome->kind == ToolOutcome::Kind::kDone));
  BOOST_TEST((longest > std::chrono::milliseconds(0)));
  BOOST_TEST((longest < std::chrono::seconds(60)));
}

BOOST_AUTO_TEST_CASE(a_watch_that_comes_back_at_once_with_nothing_is_followed_by_a_pause) {
  Waiting scene({waits_for("r1"), waits_for("r1"), waits_for("r1"), waits_for("r1"), done()});
  scene.wait.pause = scene.wait.longest_pause = std::chrono::seconds(1);
  std::size_t watched = 0;
  scene.wait.watch = [&](const ToolOutcome&, std::chrono::milliseconds, const std::stop_token&) {
    ++watched;
  };
  const auto outcome = scene.call();
  BOOST_REQUIRE(outcome);
  BOOST_TEST((outcome->kind == ToolOutcome::Kind::kDone));
  BOOST_TEST(scene.calls == 5u);
  BOOST_TEST(watched == 2u);  // and two pauses
}

BOOST_AUTO_TEST_CASE(waiting_is_given_up_with_what_was_said_last) {
  Waiting scene({waits_for("r1")});
  scene.wait.pause = scene.wait.longest_pause = std::chrono::hours(1);
  std::stop_source stop;
  scene.wait.waiting = [&](const ToolOutcome&) { stop.request_stop(); };
  const auto outcome = scene.call(stop.get_token());
  BOOST_REQUIRE(outcome);
  BOOST_TEST(outcome->approval == "r1");
  BOOST_TEST(scene.calls == 1u);
}

BOOST_AUTO_TEST_CASE(a_thread_that_waits_calls_back_once_and_ends_when_it_is_dropped) {
  Waiting scene({waits_for("r1")});
  scene.wait.pause = scene.wait.longest_pause = std::chrono::hours(1);
  std::promise<void> is_waiting;
  scene.wait.waiting = [&](const ToolOutcome&) { is_waiting.set_value(); };
  const ToolClient client = scene.tools(scene.runtime->socket());
  int called_back = 0;
  std::string approval;
  {
    const std::jthread thread =
        client.call_later("pay", "{}", scene.wait, [&](const ClientResult<ToolOutcome>& outcome) {
          ++called_back;
          if (outcome) approval = outcome->approval;
        });
    is_waiting.get_future().wait();
  }
  BOOST_TEST(called_back == 1);
  BOOST_TEST(approval == "r1");
}

BOOST_AUTO_TEST_SUITE_END()
