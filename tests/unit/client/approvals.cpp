// What ApprovalClient asks a daemon, and what it reads of the answers.

#include <string>

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
