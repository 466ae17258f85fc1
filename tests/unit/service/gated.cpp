// Calls and actions behind gates: what waits, what an approval lets through, and that it does so once.

#include <algorithm>
#include <atomic>
#include <latch>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "daemon/store/approver_book.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "tests/unit/service/approval_fixture.hpp"

namespace chancery::tests {
namespace {

using service::Gate;
using std::chrono::seconds;

constexpr const char* kBob = "user:bob@example.org";
constexpr const char* kCarol = "user:carol@example.org";

/// A gate for refunds of more than 50, which bob opens; he and carol are enrolled.
struct Gated : Approvals {
  Gated() {
    enroll(kBob);
    enroll(kCarol);
    put(refunds());
  }

  static Gate refunds() {
    Gate gate;
    gate.name = "refunds";
    gate.scopes = {"payments.refund"};
    gate.when = Gate::When::kAbove;
    gate.parameter = "amount";
    gate.above = 50'000'000;
    gate.approvers = {kBob};
    return gate;
  }

  void put(const Gate& gate) {
    change_policy([&](service::Policy& policy) { policy.gates = {gate}; });
  }

  void enroll(const std::string& person) {
    const auto key = SigningKey::generate(Algorithm::kES256);
    BOOST_REQUIRE(key);
    store::NewApproverKey enrolled;
    enrolled.principal = person;
    enrolled.key = {key->public_key().thumbprint(),
                    "file",
                    key->public_key().jwk(),
                    "",
                    store::ApproverKeyState::kActive,
                    kNow,
                    "operator",
                    {}};
    if (!keys.empty()) enrolled.by = keys.at(kBob);
    const auto done = office().approvers.enroll(enrolled, {.at = kNow, .action = "approver.enroll"});
    BOOST_REQUIRE_MESSAGE(done, (done ? "" : done.error().what));
    keys.emplace(person, enrolled.key.jkt);
  }

  void decide(const std::string& id, const std::string& person, bool approves = true,
              std::chrono::sys_seconds at = kNow) {
    const auto counted = office().approvals.decide(
        {id, person, keys.at(person), approves, "", "a.b.c", ""}, at,
        [&](const store::ParkedCall&) { return store::AuditEntry{.at = at, .action = "approval.approve"}; });
    BOOST_REQUIRE_MESSAGE(counted, (counted ? "" : counted.error().what));
  }

  static Ask refund(const std::string& amount) {
    Ask question;
    question.arguments = R"({"amount":)" + amount + R"(,"charge":"ch_1"})";
    question.more += R"(,"declared":false)";
    question.release = R"(,"release":true)";
    return question;
  }
  static Ask without_terms(Ask question) {
    question.has_terms = false;
    return question;
  }
  std::string state_of(const std::string& id) {
    const auto found = office().approvals.summary(id);
    BOOST_REQUIRE(found);
    return std::string(store::approval_state_name(found->state));
  }

  std::map<std::string, Thumbprint> keys;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(gated)

BOOST_FIXTURE_TEST_CASE(what_is_not_behind_a_closed_gate_passes_without_terms, Gated) {
  const Response asked = ask(without_terms(refund("50")));
  BOOST_TEST(verdict_of(asked) == "permit", asked.body);
  BOOST_TEST(of(member(asked, "credential"), "value") == base64_encode(as_bytes(kValue)));
  BOOST_TEST(listed().empty());
}

BOOST_FIXTURE_TEST_CASE(a_closed_gate_asks_for_terms_and_uses_nothing_up, Gated) {
  Ask question = refund("50.01");
  question.proof = proof_for(question);
  const Response first = ask(without_terms(question));
  BOOST_TEST(verdict_of(first) == "terms_required", first.body);
  BOOST_TEST(member(first, "approval").empty());
  BOOST_TEST(count("tool.attempt") == 0u);
  BOOST_TEST(count("tool.permit") == 0u);
  BOOST_TEST(listed().empty());
  const Response second = ask(question);
  BOOST_TEST(verdict_of(second) == "approval_required", second.body);
  const Response third = ask(question);
  BOOST_TEST(verdict_of(third) == "holder_binding_failed", third.body);
}

BOOST_FIXTURE_TEST_CASE(the_document_names_the_gates_and_says_why, Gated) {
  const Response asked = ask(refund("60"));
  const std::string document = waiting(asked, "document");
  BOOST_TEST(of(document, "kind") == "call");
  BOOST_TEST(of(document, "gates") ==
             R"([{"gate":"refunds","why":"`amount` is 60, which is more than 50"}])");
  BOOST_TEST(waiting(asked, "url").empty());  // without a console there is no page
}

BOOST_FIXTURE_TEST_CASE(what_was_approved_is_done_once, Gated) {
  const std::string id = id_of(ask(refund("60")));
  decide(id, kBob);
  const Response done = ask(refund("60"));
  BOOST_TEST(verdict_of(done) == "permit", done.body);
  BOOST_TEST(of(member(done, "credential"), "value") == base64_encode(as_bytes(kValue)));
  BOOST_TEST(state_of(id) == "used");
  BOOST_TEST(actions_about(id) == (Strings{"tool.attempt", "approval.request", "approval.use"}),
             boost::test_tools::per_element());
  const Strings of_the_call = actions_about(of(member(done, "permit"), "id"));
  BOOST_TEST((std::ranges::count(of_the_call, "approval.use") == 1));
}

BOOST_FIXTURE_TEST_CASE(the_same_a_second_time_waits_anew, Gated) {
  change_policy([](service::Policy& policy) { policy.gates[0].above = 5'000'000; });
  const std::string id = id_of(ask(refund("10")));
  decide(id, kBob);
  BOOST_TEST(verdict_of(ask(refund("10"))) == "permit");
  const std::string next = id_of(ask(refund("10")));
  BOOST_TEST(next != id);
  BOOST_TEST(state_of(next) == "pending");
}

BOOST_FIXTURE_TEST_CASE(a_changed_argument_is_another_subject, Gated) {
  const std::string id = id_of(ask(refund("60")));
  decide(id, kBob);
  BOOST_TEST(id_of(ask(refund("61"))) != id);
  Ask other = refund("60");
  other.arguments = R"({"amount":60,"charge":"ch_2"})";
  BOOST_TEST(id_of(ask(other)) != id);
  BOOST_TEST(state_of(id) == "approved");
}

BOOST_FIXTURE_TEST_CASE(a_gate_that_others_open_by_now_is_another_subject, Gated) {
  const std::string id = id_of(ask(refund("60")));
  decide(id, kBob);
  change_policy([](service::Policy& policy) { policy.gates[0].approvers = {kCarol}; });
  BOOST_TEST(id_of(ask(refund("60"))) != id);
}

BOOST_FIXTURE_TEST_CASE(a_chain_that_was_revoked_after_the_approval_is_denied, Gated) {
  const std::string id = id_of(ask(refund("60")));
  decide(id, kBob);
  Ask question = refund("60");
  question.proof = proof_for(question);
  BOOST_REQUIRE(
      call("POST", "/v1/revocations", R"({"principal":"user:alice@example.org"})", kOperatorUid).status ==
      201);
  BOOST_TEST(verdict_of(ask(question)) == "revoked");
  BOOST_TEST(state_of(id) == "approved");
}

BOOST_FIXTURE_TEST_CASE(an_approval_does_not_raise_a_total, Gated) {
  const std::string id = id_of(ask(refund("60")));
  decide(id, kBob);
  BOOST_TEST(verdict_of(ask(without_terms(refund("45")))) == "permit");
  BOOST_TEST(verdict_of(ask(refund("60"))) == "ceiling_exceeded");
  BOOST_TEST(state_of(id) == "approved");
}

BOOST_FIXTURE_TEST_CASE(an_approval_lapses, Gated) {
  const std::string id = id_of(ask(refund("60")));
  decide(id, kBob);
  set_now(kNow + seconds(299));
  Ask last = refund("60");
  last.proof = proof_for(last);
  set_now(kNow + seconds(300));
  BOOST_TEST(id_of(ask(last)) != id);
  BOOST_TEST(state_of(id) == "lapsed");
}

BOOST_FIXTURE_TEST_CASE(an_approval_is_good_until_its_last_second, Gated) {
  decide(id_of(ask(refund("60"))), kBob);
  set_now(kNow + seconds(299));
  BOOST_TEST(verdict_of(ask(refund("60"))) == "permit");
}

BOOST_FIXTURE_TEST_CASE(who_has_denied_is_not_asked_again_at_once, Gated) {
  const Response asked = ask(refund("60"));
  const std::string id = id_of(asked);
  decide(id, kBob, false);
  const Response denied = ask(refund("60"));
  BOOST_TEST(verdict_of(denied) == "approval_denied", denied.body);
  BOOST_TEST(member(denied, "step") == "approval");
  BOOST_TEST(pending() == 0u);
  set_now(kNow + seconds(899));
  BOOST_TEST(verdict_of(ask(refund("60"))) == "approval_denied");
  set_now(kNow + seconds(900));
  BOOST_TEST(id_of(ask(refund("60"))) != id);
}

BOOST_FIXTURE_TEST_CASE(every_gate_is_to_be_opened, Gated) {
  change_policy([](service::Policy& policy) { policy.tool_approvers = {kCarol}; });
  Ask question = refund("60");
  question.more = {};  // declared
  const std::string id = id_of(ask(question));
  decide(id, kBob);
  BOOST_TEST(state_of(id) == "pending");
  BOOST_TEST(id_of(ask(question)) == id);
  decide(id, kCarol);
  BOOST_TEST(state_of(id) == "approved");
  BOOST_TEST(verdict_of(ask(question)) == "permit");
}

BOOST_FIXTURE_TEST_CASE(a_gate_that_nobody_may_open_stays_closed_whoever_opens_the_others, Gated) {
  Ask question = refund("60");
  question.more = {};
  const std::string id = id_of(ask(question));
  const auto counted = office().approvals.decide(
      {id, kBob, keys.at(kBob), true, "", "a.b.c", ""}, kNow,
      [](const store::ParkedCall&) { return store::AuditEntry{.at = kNow, .action = "approval.approve"}; });
  BOOST_REQUIRE(!counted);
  BOOST_TEST((counted.error().code == ErrorCode::kForbidden));
}

BOOST_FIXTURE_TEST_CASE(a_value_that_was_approved_once_passes_from_then_on, Gated) {
  Gate first = refunds();
  first.when = Gate::When::kFirstTime;
  first.parameter = "charge";
  put(first);
  const std::string id = id_of(ask(refund("1")));
  decide(id, kBob);
  BOOST_TEST(verdict_of(ask(without_terms(refund("2")))) == "terms_required");  // approved, and not used yet
  BOOST_TEST(verdict_of(ask(refund("1"))) == "permit");
  BOOST_TEST(verdict_of(ask(without_terms(refund("2")))) == "permit");
  Ask other = refund("1");
  other.arguments = R"({"amount":1,"charge":"ch_2"})";
  BOOST_TEST(verdict_of(ask(without_terms(other))) == "terms_required");
}

BOOST_FIXTURE_TEST_CASE(of_many_who_ask_again_at_once_one_passes, Gated) {
  const std::string id = id_of(ask(refund("60")));
  decide(id, kBob);
  constexpr int kAtOnce = 8;
  std::vector<Ask> questions(kAtOnce, refund("60"));
  for (Ask& question : questions) question.proof = proof_for(question);
  std::latch start(kAtOnce);
  std::vector<Response> answers(kAtOnce);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < questions.size(); ++i) {
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        answers[i] = ask(questions[i]);
      });
    }
  }
  const auto permitted = std::ranges::count_if(
      answers, [](const Response& answer) { return member(answer, "decision") == "permit"; });
  BOOST_TEST(permitted == 1);
  BOOST_TEST(state_of(id) == "used");
}

// --- actions under POST /v1/authorize

namespace {

struct GatedAction : Gated {
  GatedAction() {
    change_policy([](service::Policy& policy) { policy.granted_scopes = {"crm.*", "payments.*"}; });
    budget = budget_chain();
  }
  Response asked(const std::string& amount, const std::string& more = "") {
    return ask_refund(budget, kOrchestratorUid, amount, more);
  }
  std::string budget;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(an_action_waits_is_approved_and_passes_once, GatedAction) {
  BOOST_TEST(verdict_of(asked("5")) == "permit");
  const Response first = asked("60");
  const std::string id = id_of(first);
  const std::string document = waiting(first, "document");
  BOOST_TEST(of(document, "kind") == "action");
  BOOST_TEST(of(document, "method") == "POST");
  BOOST_TEST(of(document, "arguments") == R"({"amount":60})");
  BOOST_TEST(of(document, "tool").empty());
  BOOST_TEST(of(document, "asked_by") == "uid:" + std::to_string(kOperatorUid));
  BOOST_TEST(actions_about(id) == (Strings{"approval.request"}), boost::test_tools::per_element());
  BOOST_TEST(id_of(asked("60")) == id);
  decide(id, kBob);
  const Response done = asked("60");
  BOOST_TEST(verdict_of(done) == "permit", done.body);
  BOOST_TEST(state_of(id) == "used");
  BOOST_TEST(actions_about(member(done, "decision_id")) == (Strings{"approval.use", "action.authorize"}),
             boost::test_tools::per_element());
}

// What waits is kept under no key; what was permitted is.
BOOST_FIXTURE_TEST_CASE(the_same_key_is_good_before_and_after_the_approval, GatedAction) {
  const std::string key = R"(,"idempotency_key":"k1")";
  const std::string id = id_of(asked("60", key));
  decide(id, kBob);
  const std::string body =
      question(budget, proof_of(budget, kOrchestratorUid), EnforcementFixture::refund("60"), key);
  const Response done = EnforcementFixture::ask(body);
  BOOST_TEST(verdict_of(done) == "permit", done.body);
  const Response repeated = EnforcementFixture::ask(body);
  BOOST_TEST(repeated.body == done.body);
  BOOST_TEST(verdict_of(asked("60", key)) == "conflict");
}

BOOST_FIXTURE_TEST_CASE(parameters_that_nobody_reads_are_not_put_before_a_person, GatedAction) {
  const Response refused = EnforcementFixture::ask(question(
      budget, proof_of(budget, kOrchestratorUid),
      R"({"scope":"payments.refund","params":{"amount":60,"x":")" + std::string(16'384, 'x') + "\"}}"));
  BOOST_TEST(verdict_of(refused) == "too_large", refused.body);
  BOOST_TEST(listed().empty());
}

// --- ceilings

// As if it had been minted behind the gate's back: by the issuer's own key, for scopes of a gate.
BOOST_FIXTURE_TEST_CASE(what_an_ungated_key_granted_of_gated_scopes_counts_no_more, Gated) {
  Ask question = without_terms(refund("1"));
  question.proof = proof_for(question);
  office().trust.publish_gates(
      {std::vector<std::string>{"chancery.*", "mail.*"}, {{"keys", {{}, {"payments.refund"}}}}, {}});
  BOOST_TEST(verdict_of(ask(question)) == "not_narrower");
  office().trust.publish_gates({std::vector<std::string>{"chancery.*", "payments.*"}, {}, {}});
  BOOST_TEST(verdict_of(ask(without_terms(refund("1")))) == "permit");
}

// --- grants that name a gate

namespace {

struct GatedGrant : Gated {
  GatedGrant() {
    Gate careful;
    careful.name = "careful";
    careful.approvers = {kBob};
    put(careful);
  }
  Response grant(const std::string& gate) {
    return call(
        "POST", "/v1/grants",
        R"({"principal":"user:alice@example.org","agent":"orchestrator","audience":"https://tools.example",)"
        R"("scopes":["payments.refund"],"lifetime_s":1800,"gate":")" +
            gate + "\"}",
        kOperatorUid);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(what_is_done_under_a_grant_with_a_gate_waits, GatedGrant) {
  BOOST_TEST(verdict_of(ask(without_terms(refund("1")))) == "permit");
  const std::string ungated = chain;
  const Response made = grant("careful");
  BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
  chain = chain_of(made);
  const std::string id = id_of(ask(refund("1")));
  decide(id, kBob);
  BOOST_TEST(verdict_of(ask(refund("1"))) == "permit");
  BOOST_TEST(verdict_of(ask(without_terms(refund("1")))) == "terms_required");
  chain = ungated;
  BOOST_TEST(verdict_of(ask(without_terms(refund("1")))) == "permit");
}

BOOST_FIXTURE_TEST_CASE(without_its_gate_nothing_is_done_under_such_a_grant, GatedGrant) {
  chain = chain_of(grant("careful"));
  change_policy([](service::Policy& policy) { policy.gates.clear(); });
  BOOST_TEST(verdict_of(ask(without_terms(refund("1")))) == "config_invalid");
}

BOOST_FIXTURE_TEST_CASE(a_grant_names_a_gate_that_there_is, GatedGrant) {
  BOOST_TEST(grant("nights").status == 400);
  change_policy([](service::Policy& policy) { policy.gates[0].tpm_enforced = true; });
  BOOST_TEST(grant("careful").status == 400);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
