// Actions by chains that have a key of a frozen agent's in them, whatever was signed before the freeze.

#include <vector>

#include "tests/unit/service/enforcement_fixture.hpp"

namespace chancery::tests {
namespace {

using rest::Response;

/// The orchestrator's chain, what it delegated to the support agent, and a chain of the lookup agent's own.
struct FrozenChains : EnforcementFixture {
  void change(const std::string& path, const std::string& body = "{}") {
    const Response changed = call("POST", path, body, kOperatorUid);
    BOOST_REQUIRE_MESSAGE(changed.status == 200, changed.body);
  }
  std::string chain_of_lookup() {
    const Response granted =
        call("POST", "/v1/grants",
             R"({"principal":"user:alice@example.org","agent":"lookup","audience":"https://api.example.org",)"
             R"("scopes":["payments.refund"],"lifetime_s":1800})",
             kOperatorUid);
    BOOST_REQUIRE_MESSAGE(granted.status == 201, granted.body);
    return chain_of(granted);
  }
  /// A question with a proof that is made now, to be asked later: a frozen agent makes none, and its session would.
  std::string prepared(const std::string& tokens, std::uint32_t holder, const std::string& more = "") {
    return question(tokens, proof_of(tokens, holder), refund("5"), more);
  }
  /// What the log says of the newest action.
  std::string newest_action() {
    const auto tail = store().audit_tail(1000);
    BOOST_REQUIRE(tail);
    std::string out;
    std::uint64_t newest = 0;
    for (const store::AuditRecord& record : *tail) {
      if (record.json.find(R"("action":"action.authorize")") == std::string::npos) continue;
      if (!out.empty() && record.sequence < newest) continue;
      newest = record.sequence;
      out = record.json;
    }
    return out;
  }

  const std::string chain = budget_chain();
  const std::string below = delegated(chain, "support", kOrchestratorUid);
  const std::string others = chain_of_lookup();
};

}  // namespace

BOOST_AUTO_TEST_SUITE(frozen_chains)

BOOST_FIXTURE_TEST_CASE(nothing_is_permitted_of_who_is_frozen_nor_of_what_it_delegated, FrozenChains) {
  const std::string own = prepared(chain, kOrchestratorUid);
  const std::string delegate = prepared(below, kSupportUid);
  const std::string other = prepared(others, kLookupUid);
  change("/v1/agents/orchestrator/freeze", R"({"reason":"odd calls"})");

  const Response denied = ask(own);
  BOOST_TEST(verdict_of(denied) == "agent_frozen", denied.body);
  BOOST_TEST(member(denied, "step") == "freeze");
  BOOST_TEST(denied.body.find("odd calls") == std::string::npos);  // is not the enforcement point's
  const std::string entry = newest_action();
  for (const char* const part : {R"("denial":"agent_frozen")", R"("step":"freeze")",
                                 R"("frozen_agent":"orchestrator")", R"("outcome":"deny")"}) {
    BOOST_TEST(entry.find(part) != std::string::npos, part << " is not in " << entry);
  }
  BOOST_TEST(verdict_of(ask(delegate)) == "agent_frozen");
  BOOST_TEST(verdict_of(ask(other)) == "permit");
}

BOOST_FIXTURE_TEST_CASE(of_a_frozen_delegate_what_is_above_it_goes_on, FrozenChains) {
  const std::string delegate = prepared(below, kSupportUid);
  change("/v1/agents/support/freeze");
  BOOST_TEST(verdict_of(ask(delegate)) == "agent_frozen");
  BOOST_TEST(verdict_of(ask_refund(chain, kOrchestratorUid, "5")) == "permit");
}

BOOST_FIXTURE_TEST_CASE(a_freeze_of_all_permits_nothing_until_it_is_lifted, FrozenChains) {
  std::vector<std::string> questions{prepared(chain, kOrchestratorUid), prepared(below, kSupportUid),
                                     prepared(others, kLookupUid)};
  change("/v1/freeze", R"({"reason":"leak"})");
  for (const std::string& question : questions) BOOST_TEST(verdict_of(ask(question)) == "agent_frozen");
  change("/v1/freeze/lift");
  BOOST_TEST(verdict_of(ask_refund(chain, kOrchestratorUid, "5")) == "permit");
}

BOOST_FIXTURE_TEST_CASE(who_is_frozen_by_itself_stays_so_when_all_are_free_again, FrozenChains) {
  const std::string own = prepared(chain, kOrchestratorUid);
  change("/v1/agents/orchestrator/freeze");
  change("/v1/freeze");
  change("/v1/freeze/lift");
  BOOST_TEST(verdict_of(ask(own)) == "agent_frozen");
  BOOST_TEST(verdict_of(ask_refund(others, kLookupUid, "5")) == "permit");
}

BOOST_FIXTURE_TEST_CASE(a_denial_by_a_freeze_spends_the_proof_and_nothing_of_the_budget, FrozenChains) {
  const std::string own = prepared(chain, kOrchestratorUid);
  change("/v1/agents/orchestrator/freeze");
  BOOST_TEST(verdict_of(ask(own)) == "agent_frozen");
  change("/v1/agents/orchestrator/unfreeze");
  BOOST_TEST(verdict_of(ask(own)) == "holder_binding_failed");
  BOOST_TEST(verdict_of(ask_refund(chain, kOrchestratorUid, "100")) == "permit");  // all that there is
}

BOOST_FIXTURE_TEST_CASE(a_permit_is_not_repeated_while_its_agent_is_frozen, FrozenChains) {
  const std::string own = prepared(chain, kOrchestratorUid, R"(,"idempotency_key":"refund-1")");
  BOOST_TEST(verdict_of(ask(own)) == "permit");
  change("/v1/agents/orchestrator/freeze");
  BOOST_TEST(verdict_of(ask(own)) == "agent_frozen");
  change("/v1/agents/orchestrator/unfreeze");
  BOOST_TEST(verdict_of(ask(own)) == "permit");
}

BOOST_FIXTURE_TEST_CASE(a_key_that_was_followed_by_another_is_its_agents_still, FrozenChains) {
  const std::string own = prepared(chain, kOrchestratorUid);
  change("/v1/agents/orchestrator/rotate");
  change("/v1/agents/orchestrator/freeze");
  BOOST_TEST(verdict_of(ask(own)) == "agent_frozen");
}

BOOST_FIXTURE_TEST_CASE(what_the_chain_itself_denies_is_said_first, FrozenChains) {
  const std::string own =
      question(chain, proof_of(chain, kOrchestratorUid), R"({"scope":"mail.send","params":{}})");
  change("/v1/agents/orchestrator/freeze");
  BOOST_TEST(verdict_of(ask(own)) == "scope_not_granted");
}

BOOST_FIXTURE_TEST_CASE(a_chain_of_a_frozen_agent_verifies_still, FrozenChains) {
  change("/v1/agents/orchestrator/freeze");
  const Response verified = call("POST", "/v1/chains/verify", R"({"chain":)" + chain + "}", std::nullopt);
  BOOST_TEST(member(verified, "outcome") == "valid", verified.body);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
