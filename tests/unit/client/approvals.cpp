// What ApprovalClient asks a daemon, and what it reads of the answers.

#include <array>
#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include <boost/test/unit_test.hpp>

#include <chancery/approval_client.hpp>

#include "sdk/wire/approval_messages.hpp"
#include "sdk/wire/approver_messages.hpp"
#include "tests/unit/client/scripted_daemon.hpp"

namespace chancery::testing {
namespace {

using std::chrono::seconds;
using Daemon = ScriptedDaemon<ApprovalClient>;

const api::Approver kBob{
    "user:bob@example.org", {"finance"}, {{"jkt", "file", "{}", "", "active", 1, "operator", {}}}};

api::Approval pending() {
  api::Approval out;
  out.id = "a1";
  out.kind = "call";
  out.state = "pending";
  out.tool = "refund";
  out.principal = "user:a";
  out.key = "jkt";
  out.sha256 = "digest";
  out.enforcement = api::kSoftwareEnforced;
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(client_approvals)

BOOST_AUTO_TEST_CASE(a_decision_is_sent_for_its_request) {
  const api::DecidedApproval decided{"a1", "approved", "tpm-enforced"};
  const std::string line = "POST /v1/approvals/a1/decision";
  const Daemon daemon(Answers{{line, wire::write(decided)}});
  const auto answer = daemon.client().decide("a1", {"a.b.c", "c2ln"});
  BOOST_REQUIRE(answer);
  BOOST_TEST((*answer == decided));
  BOOST_TEST(daemon.body(line) == R"({"decision":"a.b.c","policy_signature":"c2ln"})");
}

// The daemon must answer before the client gives the call up.
BOOST_AUTO_TEST_CASE(whoever_waits_gives_the_daemon_time_to_answer) {
  const Daemon daemon(Answers{{"GET /v1/approvals/a1?wait=28", wire::write(pending())},
                              {"GET /v1/approvals/a1?wait=5", wire::write(pending())},
                              {"GET /v1/approvals/a1?wait=0", wire::write(pending())}});
  for (const int patience : {60, 28, 5, 0, -1})
    BOOST_TEST(daemon.client().wait("a1", seconds(patience)).has_value());
}

namespace {

/// A client of a daemon that answers by a script.
struct Waiting {
  explicit Waiting(FakeDaemon::Script script) : daemon(FakeDaemon::on_socket(std::move(script))) {
    ClientOptions options;
    options.socket = daemon->socket();
    client = std::make_unique<Client>(Client::connect(options).value());
  }
  [[nodiscard]] ApprovalClient calls() const { return ApprovalClient(*client); }

  std::unique_ptr<FakeDaemon> daemon;
  std::unique_ptr<Client> client;
};

std::string answer_of(const std::string& state) {
  api::Approval approval = pending();
  approval.state = state;
  return http_answer(200, "application/json", wire::write(approval));
}

}  // namespace

BOOST_AUTO_TEST_CASE(whoever_waits_for_a_decision_asks_until_there_is_one) {
  for (const char* state : {"approved", "denied", "cancelled", "expired"}) {
    std::atomic<int> asked = 0;
    const Waiting world([&](Connection& connection) {
      connection.read_request();
      connection.write(answer_of(++asked < 2 ? "pending" : state));
    });
    const auto decided = world.calls().wait_until_decided("a1");
    BOOST_REQUIRE(decided);
    BOOST_TEST(decided->state == state);
    BOOST_TEST(asked == 2);
  }
}

BOOST_AUTO_TEST_CASE(whoever_does_not_wait_is_called_back_once) {
  const Waiting world([](Connection& connection) {
    connection.read_request();
    connection.write(answer_of("approved"));
  });
  std::promise<std::string> told;  // a second call would throw
  {
    const std::jthread thread = world.calls().tell_when_decided(
        "a1", [&](const ClientResult<api::Approval>& approval) { told.set_value(approval->state); });
    BOOST_TEST(told.get_future().get() == "approved");
  }
}

BOOST_AUTO_TEST_CASE(waiting_ends_with_its_thread_whatever_the_daemon_does) {
  struct Row {
    const char* what;
    std::function<void(Connection& connection)> answers;
  };
  const std::array rows{
      Row{"says nothing", [](Connection& connection) { connection.wait_for_peer(); }},
      Row{"has too many who wait", [](Connection& connection) { connection.write(answer_of("pending")); }},
  };
  for (const Row& row : rows) {
    std::promise<void> asked;
    std::atomic<bool> is_first = true;
    const Waiting world([&](Connection& connection) {
      connection.read_request();
      if (is_first.exchange(false)) asked.set_value();
      row.answers(connection);
    });
    ErrorCode told = ErrorCode::kMalformed;
    {
      const std::jthread thread =
          world.calls().tell_when_decided("a1", [&](const ClientResult<api::Approval>& approval) {
            if (!approval) told = approval.error().error.code;
          });
      asked.get_future().wait();
    }
    BOOST_TEST((told == ErrorCode::kTimeout), row.what);
  }
}

BOOST_AUTO_TEST_CASE(a_daemon_that_refuses_ends_the_waiting) {
  const Daemon daemon(Answers{});
  const auto refused = daemon.client().wait_until_decided("a1");
  BOOST_REQUIRE(!refused);
  BOOST_TEST(refused.error().code == "not_found");
}

BOOST_AUTO_TEST_CASE(approvers_are_looked_up_by_principal) {
  const Daemon daemon(Answers{{"GET /v1/approvers/user%3Abob%40example.org", wire::write(kBob)},
                              {"GET /v1/approvers", wire::write(api::ApproverList{{kBob}})}});
  const auto one = daemon.client().approver(kBob.principal);
  BOOST_REQUIRE(one);
  BOOST_TEST((*one == kBob));
  const auto list = daemon.client().approvers();
  BOOST_REQUIRE(list);
  BOOST_TEST((list->approvers == std::vector<api::Approver>{kBob}));
}

BOOST_AUTO_TEST_CASE(a_key_is_enrolled_and_ended) {
  const std::string enrolment = "POST /v1/approvers";
  const std::string end = "POST /v1/approver-keys/jkt/revoke";
  const Daemon daemon(Answers{{enrolment, wire::write(kBob)}, {end, wire::write(kBob)}});
  BOOST_TEST(daemon.client().enroll({R"({"v":1})", "a.b.c"}).has_value());
  BOOST_TEST(daemon.body(enrolment) == R"({"authorization":"a.b.c","enrolment":{"v":1}})");
  BOOST_TEST(daemon.client().revoke_approver_key("jkt", {"lost", ""}).has_value());
  BOOST_TEST(daemon.body(end) == R"({"reason":"lost"})");
}

BOOST_AUTO_TEST_CASE(gates_are_listed) {
  api::Gate gate;
  gate.name = "refunds";
  gate.when = "always";
  gate.separation = "none";
  gate.enforcement = api::kSoftwareEnforced;
  const Daemon daemon(Answers{{"GET /v1/gates", wire::write(api::GateList{{gate}})}});
  const auto list = daemon.client().gates();
  BOOST_REQUIRE(list);
  BOOST_TEST((list->gates == std::vector<api::Gate>{gate}));
}

BOOST_AUTO_TEST_CASE(what_names_nothing_is_not_sent) {
  const Daemon daemon(Answers{});
  BOOST_TEST((daemon.client().decide("", {"a.b.c", ""}).error().error.code == ErrorCode::kInvalidArgument));
  BOOST_TEST((daemon.client().decide("a1", {"", ""}).error().error.code == ErrorCode::kInvalidArgument));
  BOOST_TEST((daemon.client().approver("").error().error.code == ErrorCode::kInvalidArgument));
  BOOST_TEST((daemon.client().revoke_approver_key("", {}).error().error.code == ErrorCode::kInvalidArgument));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::testing
