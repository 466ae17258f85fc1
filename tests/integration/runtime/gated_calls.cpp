// Calls behind a gate of the daemon's: a person's signed decision lets one through, once, and nothing else does.

#include <chrono>
#include <future>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include <chancery/approval_client.hpp>
#include <chancery/approval_decision.hpp>
#include <chancery/session.hpp>
#include <chancery/tool_client.hpp>

#include "sdk/crypto/signing_key.hpp"
#include "sdk/json/reader.hpp"
#include "tests/integration/daemon/started_tpm.hpp"
#include "tests/integration/runtime/declared_tool.hpp"
#include "tests/integration/runtime/json_answer.hpp"
#include "tests/integration/runtime/proven_call.hpp"
#include "tests/integration/runtime/runtime_process.hpp"
#include "tests/integration/runtime/upstream_server.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;

constexpr const char* kBob = "user:bob@example.org";

/// `[[gate]]`: a refund of 100 passes, and more takes an approval by bob.
const std::string kGates = std::string(kRuntimeSection) + R"([[gate]]
name = "refunds"
scopes = ["payments.refund"]
when = "above"
parameter = "amount"
above = 100
approvers = ["user:bob@example.org"]
lifetime = "LIFETIME"
wait = "60s"
)";

std::string gates_for(const std::string& lifetime) {
  std::string out = kGates;
  return out.replace(out.find("LIFETIME"), 8, lifetime);
}

/// A daemon with a gate, a runtime with a tool that declares none, an agent that may refund 1,000 with it, and bob.
struct Gated {
  explicit Gated(const std::string& lifetime = "5m")
      : daemon({.tcti = tpm.tcti(), .extra = gates_for(lifetime)}) {
    daemon.start();
    answered(daemon.client().create_agent(agent_of("tools", ::geteuid())));
    answered(daemon.client().create_agent(agent_of("orchestrator", ::geteuid())));
    Authority authority;
    authority.scopes = {"payments.refund"};
    authority.constraints = {{"amount", NumberBound{NumberBound::Type::kMaxSubtree, 1000}}};
    chain = answered(daemon.client().grant(grant_of(authority))).chain;
    enroll_first(daemon.client(), kBob, key.public_key());
    DeclaredTool tool = refund_tool(upstream.url() + "/v1/charges/{charge}/refunds");
    tool.credential.clear();
    runtime.emplace(daemon, kToolsUrl);
    runtime->declare(tool.name, toml_of(tool));
    runtime->start();
  }

  [[nodiscard]] HttpReply call(const std::string& amount) const {
    const std::string arguments = R"({"amount":)" + amount + R"(,"charge":"ch_1"})";
    const std::string proof = prove_call(daemon, chain, "refund", "payments.refund", arguments);
    return runtime->send("POST", "/v1/tools/refund", shown_by(chain, proof),
                         R"({"arguments":)" + arguments + "}");
  }
  /// A call that waits. \return the id of its request
  [[nodiscard]] std::string waits(const std::string& amount) const {
    const HttpReply reply = call(amount);
    BOOST_REQUIRE_MESSAGE(reply.status == 202, reply.body << runtime->output());
    return member(reply.body, "approval");
  }

  /// What bob's tool sends of the request as the daemon has it.
  void decide(const std::string& id, ApprovalVerdict verdict) const {
    const Client client = daemon.client();
    ApprovalDecision decision;
    decision.approver = kBob;
    decision.request = id;
    decision.request_sha256 = answered(ApprovalClient(client).approval(id)).sha256;
    decision.verdict = verdict;
    decision.issued_at = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    decision.key = key.public_key().thumbprint();
    const std::string input = approval_decision_input(decision, key.public_key().algorithm());
    const auto signature = key.sign(as_bytes(input));
    BOOST_REQUIRE(signature);
    answered(ApprovalClient(client).decide(id, {signed_by_key(input, *signature), {}}));
  }
  void approve(const std::string& id) const { decide(id, ApprovalVerdict::kApprove); }

  [[nodiscard]] std::string state_of(const std::string& id) const {
    const Client client = daemon.client();
    return answered(ApprovalClient(client).approval(id)).state;
  }

  simulators::Swtpm tpm = start_tpm();
  DaemonProcess daemon;
  SigningKey key = SigningKey::generate(Algorithm::kES256).value();
  std::vector<std::string> chain;
  UpstreamServer upstream{[](const auto&, auto& response) { response.body() = R"({"id":"re_1"})"; }};
  std::optional<RuntimeProcess> runtime;
};

struct Fleeting : Gated {
  Fleeting() : Gated("1s") {}
};

}  // namespace

BOOST_AUTO_TEST_SUITE(gated_calls)

BOOST_FIXTURE_TEST_CASE(a_refund_of_99_passes_and_one_of_101_waits_until_it_is_approved, Gated) {
  const HttpReply small = call("99");
  BOOST_TEST(small.status == 200, small.body << runtime->output());
  BOOST_TEST(call("100").status == 200);
  BOOST_TEST(upstream.seen().size() == 2u);

  const HttpReply large = call("101");
  BOOST_REQUIRE_MESSAGE(large.status == 202, large.body << runtime->output());
  BOOST_TEST(member(large.body, "outcome") == "approval_required");
  const std::string id = member(large.body, "approval");
  BOOST_TEST(member(large.body, "url").empty());  // there is no console
  BOOST_TEST(has(member(large.body, "document"), "`amount` is 101, which is more than 100"));
  BOOST_TEST(waits("101") == id);
  BOOST_TEST(upstream.seen().size() == 2u);

  approve(id);
  BOOST_TEST(upstream.seen().size() == 2u);  // deciding does nothing by itself
  const HttpReply done = call("101");
  BOOST_TEST(done.status == 200, done.body << runtime->output());
  BOOST_TEST(upstream.seen().size() == 3u);
  BOOST_TEST(state_of(id) == "used");
  BOOST_TEST(waits("101") != id);
  BOOST_TEST(upstream.seen().size() == 3u);
}

BOOST_FIXTURE_TEST_CASE(a_changed_amount_waits_whatever_was_approved, Gated) {
  const std::string id = waits("101");
  approve(id);
  BOOST_TEST(waits("102") != id);
  BOOST_TEST(state_of(id) == "approved");
  BOOST_TEST(upstream.seen().empty());
}

BOOST_FIXTURE_TEST_CASE(what_was_denied_is_denied_and_nobody_is_asked_again, Gated) {
  const std::string id = waits("101");
  decide(id, ApprovalVerdict::kDeny);
  const HttpReply denied = call("101");
  BOOST_TEST(denied.status == 403, denied.body);
  BOOST_TEST(member(denied.body, "code") == "approval_denied");
  BOOST_TEST(upstream.seen().empty());
}

BOOST_FIXTURE_TEST_CASE(a_chain_that_was_revoked_after_the_approval_is_denied, Gated) {
  const std::string id = waits("101");
  approve(id);
  const std::string arguments = R"({"amount":101,"charge":"ch_1"})";
  const std::string proof = prove_call(daemon, chain, "refund", "payments.refund", arguments);
  api::ChangeStatus change;
  change.target = {"principal", "user:alice@example.org"};
  answered(daemon.client().revoke(change));
  const HttpReply denied =
      runtime->send("POST", "/v1/tools/refund", shown_by(chain, proof), R"({"arguments":)" + arguments + "}");
  BOOST_TEST(denied.status == 403, denied.body);
  BOOST_TEST(member(denied.body, "code") == "revoked", denied.body);
  BOOST_TEST(upstream.seen().empty());
}

BOOST_FIXTURE_TEST_CASE(an_approval_that_nobody_used_lapses, Fleeting) {
  const std::string id = waits("101");
  approve(id);
  BOOST_REQUIRE(eventually([&] { return state_of(id) == "lapsed"; }));
  BOOST_TEST(waits("101") != id);
  BOOST_TEST(upstream.seen().empty());
}

BOOST_FIXTURE_TEST_CASE(an_enforcement_point_is_told_to_wait_and_asks_again, Gated) {
  const auto ask = [&](int amount) {
    const Client client = daemon.client();
    return answered(client.authorize(answered(refund_of(client, chain, amount, kToolsUrl))));
  };
  BOOST_TEST(ask(99).permitted);
  const api::Decision waiting = ask(101);
  BOOST_REQUIRE(!waiting.permitted);
  BOOST_TEST(waiting.outcome == api::kApprovalRequired);
  BOOST_REQUIRE(waiting.approval);
  BOOST_TEST(member(waiting.approval->document, "kind") == "action");
  approve(waiting.approval->id);
  BOOST_TEST(!ask(102).permitted);
  BOOST_TEST(ask(101).permitted);
  BOOST_TEST(!ask(101).permitted);
}

BOOST_FIXTURE_TEST_CASE(a_client_waits_for_the_decision_and_is_called_back, Gated) {
  SessionOptions options;
  options.daemon.socket = daemon.socket().string();
  const auto session = answered(Session::open(options, chain));
  auto tools = ToolClient::connect({.runtime = kToolsUrl, .socket = runtime->socket().string()}, session);
  BOOST_REQUIRE(tools);
  std::promise<std::string> told;
  std::promise<ClientResult<ToolOutcome>> called_back;
  ApprovalWait wait;
  wait.pause = 50ms;
  wait.longest_pause = 200ms;
  wait.waiting = [&](const ToolOutcome& waiting) { told.set_value(waiting.approval); };
  const std::jthread thread = tools->call_later(
      "refund", R"({"amount":101,"charge":"ch_1"})", wait,
      [&](ClientResult<ToolOutcome> outcome) { called_back.set_value(std::move(outcome)); });
  const std::string id = told.get_future().get();
  BOOST_TEST(state_of(id) == "pending");
  approve(id);
  const auto outcome = called_back.get_future().get();
  BOOST_REQUIRE_MESSAGE(outcome, (outcome ? "" : outcome.error().detail));
  BOOST_TEST((outcome->kind == ToolOutcome::Kind::kDone), outcome->code);
  BOOST_TEST(upstream.seen().size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
