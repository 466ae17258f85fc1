// An agent calls a tool that takes an approval: the real runtime asks the real daemon, which keeps the call for a person.

#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include <chancery/approval_client.hpp>
#include <chancery/audit_client.hpp>

#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "tests/integration/daemon/started_tpm.hpp"
#include "tests/integration/runtime/declared_tool.hpp"
#include "tests/integration/runtime/json_answer.hpp"
#include "tests/integration/runtime/proven_call.hpp"
#include "tests/integration/runtime/runtime_process.hpp"
#include "tests/integration/runtime/upstream_server.hpp"

namespace chancery::tests {
namespace {

constexpr const char* kArguments = R"({"amount":75,"charge":"ch_1"})";
std::string digest_of(const std::string& text) { return hex_encode(sha256(as_bytes(text))); }

/// A daemon, a runtime with one tool that takes an approval, and an agent that may refund 100 with it.
struct Waiting {
  Waiting() {
    daemon.start();
    answered(daemon.client().create_agent(agent_of("tools", ::geteuid())));
    answered(daemon.client().create_agent(agent_of("orchestrator", ::geteuid())));
    chain = answered(daemon.client().grant(grant_of(up_to_100({"payments.refund"})))).chain;
    DeclaredTool tool = refund_tool(upstream.url() + "/v1/charges/{charge}/refunds");
    tool.description = "Gives money back.";
    tool.credential.clear();
    tool.needs_approval = true;
    runtime.declare(tool.name, toml_of(tool));
    runtime.start();
  }

  std::string proof_of(const std::string& arguments) const {
    return prove_call(daemon, chain, "refund", "payments.refund", arguments);
  }
  HttpReply call(const std::string& arguments, const std::string& proof) const {
    return runtime.send("POST", "/v1/tools/refund", shown_by(chain, proof),
                        R"({"arguments":)" + arguments + "}");
  }
  HttpReply call(const std::string& arguments) const { return call(arguments, proof_of(arguments)); }
  ProgramResult run(const std::vector<std::string>& arguments) const {
    std::vector<std::string> command{CHANCERY_BINARY_DIR "/chancery"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    command.insert(command.end(), {"--socket", daemon.socket().string()});
    return run_program(command);
  }
  std::vector<std::string> actions_about(const std::string& id) const {
    const Client client = daemon.client();
    std::vector<std::string> out;
    for (const api::AuditEntry& entry :
         answered(AuditClient(client).entries({.limit = 1000, .ref = id})).entries)
      out.push_back(member(entry.json, "action"));
    return out;
  }
  std::string state_of(const std::string& id) const {
    const Client client = daemon.client();
    return answered(ApprovalClient(client).approval(id)).state;
  }

  simulators::Swtpm tpm = start_tpm();
  DaemonProcess daemon{{.tcti = tpm.tcti(), .extra = kRuntimeSection}};
  std::vector<std::string> chain;
  UpstreamServer upstream{[](const auto&, auto& response) { response.body() = R"({"id":"re_1"})"; }};
  RuntimeProcess runtime{daemon, kToolsUrl};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(waiting_calls)

BOOST_FIXTURE_TEST_CASE(a_call_that_takes_an_approval_is_kept_for_a_person_and_not_made, Waiting) {
  const HttpReply reply = call(kArguments);
  BOOST_REQUIRE_MESSAGE(reply.status == 202, reply.body << runtime.output());
  BOOST_TEST(member(reply.body, "outcome") == "approval_required");
  BOOST_TEST(member(reply.body, "code") == "approval_required");
  BOOST_TEST(!member(reply.body, "message").empty());
  BOOST_TEST(upstream.seen().empty());
  const std::string id = member(reply.body, "approval");
  BOOST_TEST(id.size() == 32u);

  const std::string document = member(reply.body, "document");
  BOOST_TEST(member(document, "id") == id);
  BOOST_TEST(member(document, "arguments") == kArguments);
  BOOST_TEST(member(document, "arguments_sha256") == digest_of(kArguments));
  BOOST_TEST(member(document, "agent") == "spiffe://test.example/agent/orchestrator");
  BOOST_TEST(member(document, "runtime") == "spiffe://test.example/agent/tools");
  BOOST_TEST(member(document, "description") == "Gives money back.");
  BOOST_TEST(member(document, "debits") == R"({"amount":"75"})");
  BOOST_TEST(member(document, "expires_at") == member(reply.body, "expires_at"));

  const std::vector<std::string> want{"tool.attempt", "approval.request"};
  BOOST_TEST(actions_about(id) == want, boost::test_tools::per_element());
  const ProgramResult traced = run({"trace", id});
  BOOST_TEST(traced.exit_status == 0, traced.output);
  for (const char* action : {"token.grant", "tool.attempt", "approval.request"})
    BOOST_TEST(has(traced.output, action), action << " is not in " << traced.output);
}

BOOST_FIXTURE_TEST_CASE(a_person_reads_what_would_be_approved, Waiting) {
  const std::string id = member(call(kArguments).body, "approval");
  const ProgramResult listed = run({"approval", "list"});
  BOOST_TEST(listed.exit_status == 0, listed.output);
  BOOST_TEST(has(listed.output, id), listed.output);
  const ProgramResult shown = run({"approval", "show", id});
  BOOST_TEST(shown.exit_status == 0, shown.output);
  for (const char* line :
       {"refund", "pending until", "amount = 75", R"(charge = "ch_1")", "user:alice@example.org",
        "spiffe://test.example/agent/orchestrator", "payments.refund", "high"})
    BOOST_TEST(has(shown.output, line), line << " is not in " << shown.output);
  const ProgramResult as_json = run({"approval", "show", id, "--format", "json"});
  BOOST_REQUIRE_MESSAGE(as_json.exit_status == 0, as_json.output);
  BOOST_TEST(digest_of(member(as_json.output, "document")) == member(as_json.output, "sha256"));
  BOOST_TEST(has(shown.output, member(as_json.output, "sha256")));
  BOOST_TEST(run({"approval", "show", std::string(32, 'f')}).exit_status == 1);
}

BOOST_FIXTURE_TEST_CASE(a_call_waits_on_when_the_daemon_was_restarted_and_until_it_is_cancelled, Waiting) {
  const std::string id = member(call(kArguments).body, "approval");
  const std::string proof = proof_of(kArguments);
  BOOST_REQUIRE(daemon.stop() == 0);
  const HttpReply away = call(kArguments, proof);
  BOOST_TEST(away.status == 502, away.body);
  BOOST_TEST(member(away.body, "code") == "daemon_unavailable");
  daemon.start();
  BOOST_TEST(state_of(id) == "pending");
  BOOST_TEST(member(call(kArguments).body, "approval") == id);
  const ProgramResult cancelled = run({"approval", "cancel", id});
  BOOST_TEST(cancelled.exit_status == 0, cancelled.output);
  BOOST_TEST(has(cancelled.output, "cancelled"), cancelled.output);
  BOOST_TEST(run({"approval", "cancel", id}).exit_status == 1);
  BOOST_TEST(state_of(id) == "cancelled");
  const std::string next = member(call(kArguments).body, "approval");
  BOOST_TEST(next.size() == 32u);
  BOOST_TEST(next != id);
  BOOST_TEST(upstream.seen().empty());
}

BOOST_FIXTURE_TEST_CASE(nobody_is_asked_about_what_the_chain_does_not_allow, Waiting) {
  const HttpReply denied = call(R"({"amount":101,"charge":"ch_1"})");
  BOOST_TEST(denied.status == 403, denied.body);
  BOOST_TEST(member(denied.body, "code") == "ceiling_exceeded");
  BOOST_TEST(member(denied.body, "approval").empty());
  BOOST_TEST(has(run({"approval", "list", "--state", "all"}).output, "There are none."));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
