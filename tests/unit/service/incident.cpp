// Incidents: an agent with a past is frozen and its authority ended, and what is known of it verifies without the daemon.

#include "daemon/service/incident.hpp"

#include <algorithm>

#include <boost/test/unit_test.hpp>

#include <chancery/approval_decision.hpp>

#include "daemon/store/approver_book.hpp"
#include "daemon/store/sqlite.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "sdk/incident/judge.hpp"
#include "tests/unit/service/approval_fixture.hpp"

namespace chancery::tests {
namespace {

using incident::Bundle;
using incident::Report;

// The agent goes on: what else a bundle says is looked at then.
constexpr const char* kLeft = R"(,"freeze":false,"revoke":false)";
constexpr const char* kBob = "user:bob@example.org";

/// The orchestrator has had a refund approved and done it, and has delegated to support.
struct Incidents : Approvals {
  Incidents() {
    enroll();
    change_policy([](service::Policy& policy) { policy.tool_approvers = {kBob}; });
    const std::string id = id_of(ask(refund()));
    approve(id, waiting_sha256);
    const Response done = ask(refund());
    BOOST_REQUIRE_MESSAGE(verdict_of(done) == "permit", done.body);
    const std::string permit = of(member(done, "permit"), "id");
    const Response reported =
        call("POST", "/v1/permits/" + permit + "/result",
             R"({"status":"done","result_sha256":")" + std::string(64, 'a') + "\"}", kRuntimeUid);
    BOOST_REQUIRE_MESSAGE(reported.status == 200, reported.body);
    const Response delegated =
        call("POST", "/v1/delegations",
             R"({"chain":)" + chain + R"(,"to":"support","scopes":["payments.refund"]})", kOrchestratorUid);
    BOOST_REQUIRE_MESSAGE(delegated.status == 201, delegated.body);
    below = chain_of(delegated);
  }

  void enroll() {
    store::NewApproverKey enrolled;
    enrolled.principal = kBob;
    enrolled.key = {key.public_key().thumbprint(),
                    "file",
                    key.public_key().jwk(),
                    "",
                    store::ApproverKeyState::kActive,
                    kNow,
                    "operator",
                    {}};
    const auto done = office().approvers.enroll(enrolled, {.at = kNow, .action = "approver.enroll"});
    BOOST_REQUIRE_MESSAGE(done, (done ? "" : done.error().what));
  }

  Ask refund() {
    Ask question;
    question.release = R"(,"release":true)";
    return question;
  }

  std::string id_of(const Response& asked) {
    waiting_sha256 = waiting(asked, "sha256");
    return Approvals::id_of(asked);
  }

  void approve(const std::string& id, const std::string& sha256) {
    const ApprovalDecision decision{.approver = kBob,
                                    .request = id,
                                    .request_sha256 = sha256,
                                    .reason = "",
                                    .verdict = ApprovalVerdict::kApprove,
                                    .issued_at = kNow,
                                    .key = key.public_key().thumbprint(),
                                    .by_passkey = false};
    const std::string input = approval_decision_input(decision, Algorithm::kES256);
    const auto signature = key.sign(as_bytes(input));
    BOOST_REQUIRE(signature);
    const Response decided =
        call("POST", "/v1/approvals/" + id + "/decision",
             R"({"decision":")" + signed_by_key(input, *signature) + "\"}", kOperatorUid);
    BOOST_REQUIRE_MESSAGE(decided.status == 200, decided.body);
  }

  Response open(const std::string& more, std::uint32_t uid = kOperatorUid) {
    return call("POST", "/v1/incidents", R"({"agent":"orchestrator","reason":"odd refunds")" + more + "}",
                uid);
  }
  Bundle opened(const std::string& more) {
    const Response answer = open(more);
    BOOST_REQUIRE_MESSAGE(answer.status == 201, answer.body);
    auto bundle = incident::read_bundle(answer.body);
    BOOST_REQUIRE_MESSAGE(bundle, (bundle ? "" : bundle.error().what));
    return *std::move(bundle);
  }

  Report judge(const Bundle& bundle) {
    const auto published = service::show_audit_keys(office());
    BOOST_REQUIRE(published);
    std::vector<audit::NoteKey> keys;
    for (const api::AuditKey& each : published->keys)
      keys.push_back(audit::parse_verifier_key(each.verifier_key).value());
    const std::string jwks = call("GET", "/.well-known/jwks.json", "", std::nullopt).body;
    auto config = TrustConfig::parse(R"({"anchors":[{"iss":")" + std::string(kIssuerUrl) + R"(","keys":)" +
                                     of(jwks, "keys") + "}]}");
    BOOST_REQUIRE_MESSAGE(config, (config ? "" : config.error().what));
    const TrustSnapshot trust(*std::move(config));
    incident::Terms terms;
    terms.keys = keys;
    terms.trust = &trust;
    return incident::judge(bundle, terms);
  }
  void expect_sound(const Bundle& bundle) {
    const Report report = judge(bundle);
    for (const incident::Finding& each : report.findings)
      BOOST_ERROR(incident::fault_name(each.fault) << " " << each.subject << ": " << each.what);
  }

  std::string verdict_on(const std::string& tokens) {
    return member(call("POST", "/v1/chains/verify", R"({"chain":)" + tokens + "}", kOperatorUid), "outcome");
  }
  bool signs() {
    return call("POST", "/v1/proofs", R"({"chain":)" + chain + R"(,"htm":"GET","htu":"https://a/b"})",
                kOrchestratorUid)
               .status == 201;
  }

  SigningKey key = *SigningKey::generate(Algorithm::kES256);
  std::string below;
  std::string waiting_sha256;
};

std::uint64_t reached(const Bundle& bundle, std::string_view kind, std::string_view name) {
  for (const incident::Reach& each : bundle.evidence.reached) {
    if (each.kind == kind && each.name == name) return each.count;
  }
  return 0;
}

bool is_cut(const Bundle& bundle, std::string_view what) {
  return std::ranges::find(bundle.evidence.cut, what) != bundle.evidence.cut.end();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(incidents)

BOOST_FIXTURE_TEST_CASE(one_freezes_revokes_and_says_what_was, Incidents) {
  const Bundle bundle = opened("");
  BOOST_TEST(!signs());
  BOOST_TEST(verdict_on(chain) == "revoked");
  BOOST_TEST(verdict_on(below) == "revoked");

  const incident::Evidence& evidence = bundle.evidence;
  BOOST_TEST(evidence.agent == "orchestrator");
  BOOST_TEST(evidence.reason == "odd refunds");
  BOOST_REQUIRE(evidence.frozen.has_value());
  BOOST_TEST(evidence.frozen->enforcement == "software");
  BOOST_TEST(evidence.revoked.has_value());
  BOOST_TEST(evidence.damaged == 0u);
  BOOST_TEST(evidence.cut.empty());
  BOOST_REQUIRE(evidence.tokens.size() == 2u);
  BOOST_TEST(evidence.tokens[0].place == incident::kHeld);
  BOOST_TEST(evidence.tokens[0].status == "revoked");
  BOOST_TEST(evidence.tokens[1].place == incident::kBelow);
  BOOST_TEST(evidence.tokens[1].agent == "support");
  BOOST_TEST(evidence.tokens[1].status == "revoked");
  BOOST_TEST(evidence.keys.size() == 1u);
  BOOST_REQUIRE(evidence.requests.size() == 1u);
  BOOST_TEST(evidence.requests[0].state == "used");
  BOOST_TEST(evidence.requests[0].decisions.size() == 1u);
  BOOST_REQUIRE(evidence.calls.size() == 1u);
  BOOST_TEST(!evidence.calls[0].receipt.empty());
  BOOST_TEST(reached(bundle, "tool", "refund") == 1u);
  BOOST_TEST(reached(bundle, "credential", "psp") == 1u);
  BOOST_TEST(reached(bundle, "agent", "support") == 1u);
}

BOOST_FIXTURE_TEST_CASE(it_verifies_without_the_daemon, Incidents) {
  const Bundle bundle = opened(R"(,"freeze":true,"revoke":true)");
  expect_sound(bundle);
  const Report report = judge(bundle);
  BOOST_TEST(report.entries == bundle.evidence.entries.size());
  BOOST_TEST(report.entries > 8u);
  BOOST_TEST(report.chains == 2u);
  BOOST_TEST(report.unverified_chains == 0u);
  BOOST_TEST(report.decisions == 1u);
  BOOST_TEST(report.unlogged_decisions == 0u);
  BOOST_TEST(report.receipts == 1u);
  BOOST_TEST(report.unlogged_receipts == 0u);
  // What was done to the agent is a part of its past by then, and the opening is not.
  const auto has = [&](const std::string& action) {
    return std::ranges::any_of(bundle.evidence.entries, [&](const incident::LoggedEntry& entry) {
      return entry.json.find(R"("action":")" + action + "\"") != std::string::npos;
    });
  };
  BOOST_TEST(has("agent.freeze"));
  BOOST_TEST(has("token.revoke"));
  BOOST_TEST(has("tool.result"));
  BOOST_TEST(has("approval.approve"));
  BOOST_TEST(!has("incident.open"));
}

BOOST_FIXTURE_TEST_CASE(the_log_has_its_hash, Incidents) {
  const Bundle bundle = opened(kLeft);
  const auto entries = audit_texts_of(store(), "incident.open");
  BOOST_REQUIRE(entries.size() == 1u);
  BOOST_TEST(entries[0] == bundle.proof.opening.json);
  BOOST_TEST(entries[0].find(R"("incident":")" + bundle.digest + "\"") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(nothing_is_ended_when_both_are_refused, Incidents) {
  const Bundle bundle = opened(kLeft);
  expect_sound(bundle);
  BOOST_TEST(signs());
  BOOST_TEST(verdict_on(below) == "valid");
  BOOST_TEST(!bundle.evidence.frozen.has_value());
  BOOST_TEST(!bundle.evidence.revoked.has_value());
  BOOST_TEST(bundle.evidence.tokens.at(0).status == "valid");
}

// Its name alone it has in common with the one that is retired.
BOOST_FIXTURE_TEST_CASE(what_a_former_agent_of_the_same_name_did_is_not_its_own, Incidents) {
  BOOST_REQUIRE(call("DELETE", "/v1/agents/orchestrator", "", kOperatorUid).status == 200);
  set_now(kNow + std::chrono::seconds(60));
  create_agent("orchestrator", kOrchestratorUid);
  const Bundle bundle = opened(kLeft);
  expect_sound(bundle);
  BOOST_TEST(bundle.evidence.reached.empty());
  BOOST_TEST(bundle.evidence.calls.empty());
  BOOST_REQUIRE(!bundle.evidence.entries.empty());
  for (const incident::LoggedEntry& entry : bundle.evidence.entries) {
    BOOST_TEST(entry.json.find(R"("action":"tool.permit")") == std::string::npos, entry.json);
    BOOST_TEST(entry.json.find(R"("action":"agent.retire")") == std::string::npos, entry.json);
  }
}

BOOST_FIXTURE_TEST_CASE(what_is_above_an_agent_is_in_it_too, Incidents) {
  const Response answer =
      call("POST", "/v1/incidents", R"({"agent":"support","freeze":false,"revoke":false})", kOperatorUid);
  BOOST_REQUIRE_MESSAGE(answer.status == 201, answer.body);
  const auto bundle = incident::read_bundle(answer.body);
  BOOST_REQUIRE(bundle);
  expect_sound(*bundle);
  BOOST_REQUIRE(bundle->evidence.tokens.size() == 2u);
  BOOST_TEST(bundle->evidence.tokens[0].place == incident::kAbove);
  BOOST_TEST(bundle->evidence.tokens[1].place == incident::kHeld);
  BOOST_TEST(judge(*bundle).chains == 2u);
}

BOOST_FIXTURE_TEST_CASE(of_a_long_past_the_end_is_told_and_that_it_was_cut, Incidents) {
  const Bundle whole = opened(kLeft);
  const Bundle cut = opened(std::string(R"(,"entries":3)") + kLeft);
  expect_sound(cut);
  BOOST_TEST(!is_cut(whole, "entries"));
  BOOST_TEST(is_cut(cut, "entries"));
  BOOST_REQUIRE(cut.evidence.entries.size() == 3u);
  // The newest of before, and the first opening.
  BOOST_TEST(cut.evidence.entries.back().number == whole.proof.opening.number);
  BOOST_TEST(judge(cut).unlogged_receipts + judge(cut).receipts == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_record_that_was_changed_is_counted_and_the_rest_is_told, Incidents) {
  auto other = store::Database::open(database());
  BOOST_REQUIRE(other);
  BOOST_REQUIRE(other->execute("UPDATE parked_calls SET gates = 'x'"));
  const Bundle bundle = opened(kLeft);
  expect_sound(bundle);
  BOOST_TEST(bundle.evidence.damaged == 1u);
  BOOST_TEST(bundle.evidence.requests.empty());
  BOOST_TEST(bundle.evidence.calls.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(nobody_but_the_operator_opens_one_and_a_refusal_changes_nothing, Incidents) {
  const Response refused = open(R"(,"freeze":true,"revoke":true)", kSupportUid);
  BOOST_TEST(refused.status == 403, refused.body);
  BOOST_TEST(signs());
  BOOST_TEST(verdict_on(chain) == "valid");
  BOOST_TEST(count("agent.freeze") == 0u);
  const auto entries = audit_texts_of(store(), "incident.open");
  BOOST_REQUIRE(entries.size() == 1u);
  BOOST_TEST(entries[0].find(R"("outcome":"refused")") != std::string::npos, entries[0]);
}

BOOST_FIXTURE_TEST_CASE(what_cannot_be_opened_is_refused_by_name, Incidents) {
  const auto status = [&](const std::string& body) {
    return call("POST", "/v1/incidents", body, kOperatorUid).status;
  };
  BOOST_TEST(status(R"({"agent":"nobody"})") == 404);
  BOOST_TEST(status("{}") == 400);
  BOOST_TEST(status(R"({"agent":"support","freeze":null})") == 400);
  BOOST_TEST(status(R"({"agent":"support","revoke":"no"})") == 400);
  BOOST_TEST(status(R"({"agent":"support","entries":0})") == 400);
  BOOST_TEST(status(R"({"agent":"support","entries":10001})") == 400);
  BOOST_TEST(status(R"({"agent":"support","more":1})") == 400);
  BOOST_TEST(status(R"({"agent":"support","reason":")" + std::string(1000, 'x') + "\"}") == 400);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
