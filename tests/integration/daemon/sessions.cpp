// What an enforcement point is told of agents that act by sessions: real leaves from POST /v1/sessions, proofs by keys
// in memory, and the real daemon's ledger.

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include <chancery/session.hpp>

#include "sdk/base/hex.hpp"
#include "tests/integration/daemon/remote_office.hpp"

namespace chancery::tests {
namespace {

constexpr const char* kUri = "https://api.example.org/refunds";

/// An agent on this machine that may refund 100 altogether.
struct Acting : RemoteOffice {
  Acting() {
    answered(daemon->client().create_agent(agent_of("local", ::geteuid())));
    api::CreateGrant request = grant_to("local");
    request.authority.scopes = {"payments.refund"};
    request.authority.constraints = {{"amount", NumberBound{NumberBound::Type::kMaxSubtree, 100}}};
    chain = answered(daemon->client().grant(request)).chain;
  }

  [[nodiscard]] std::shared_ptr<const Session> session() const {
    SessionOptions options;
    options.daemon.socket = daemon->socket().string();
    return answered(Session::open(options, chain));
  }
  [[nodiscard]] static Presented present(const Session& session) {
    return required(session.present("POST", kUri, std::nullopt));
  }
  [[nodiscard]] api::Decision decide(const Presented& shown, int amount) const {
    api::Authorize request;
    request.chain = shown.chain;
    request.proof = shown.proof;
    request.method = "POST";
    request.uri = kUri;
    request.audience = "https://api.example.org";
    request.scope = "payments.refund";
    request.params = R"({"amount":)" + std::to_string(amount) + "}";
    return answered(daemon->client().authorize(request));
  }
  [[nodiscard]] std::string outcome(const Presented& shown, int amount) const {
    const api::Decision decision = decide(shown, amount);
    return decision.permitted ? "permit" : decision.outcome;
  }

  std::vector<std::string> chain;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(sessions)

BOOST_FIXTURE_TEST_CASE(an_action_by_a_session_is_permitted_as_its_agents, Acting) {
  const auto opened = session();
  const Presented shown = present(*opened);
  BOOST_TEST_REQUIRE(shown.chain.size() == chain.size() + 1);
  const api::Decision decision = decide(shown, 60);
  BOOST_TEST_REQUIRE(decision.permitted, decision.reason);
  BOOST_REQUIRE(decision.leaf);
  BOOST_TEST(decision.leaf->principal == "user:alice@example.org");
  BOOST_TEST(decision.leaf->agent == "spiffe://dev.chancery.internal/agent/local");
  BOOST_TEST(outcome(shown, 1) == "holder_binding_failed");  // the same proof
}

BOOST_FIXTURE_TEST_CASE(sessions_of_one_agent_spend_from_one_budget, Acting) {
  const auto first = session();
  const auto second = session();
  BOOST_TEST(outcome(present(*first), 60) == "permit");
  BOOST_TEST(outcome(present(*second), 60) == "ceiling_exceeded");
  BOOST_TEST(outcome(present(*second), 40) == "permit");
  BOOST_TEST(outcome(present(*first), 1) == "ceiling_exceeded");
}

BOOST_FIXTURE_TEST_CASE(a_sessions_leaf_is_of_no_use_to_another_key, Acting) {
  const auto opened = session();
  const auto other = session();
  BOOST_TEST(outcome({present(*opened).chain, present(*other).proof}, 1) == "holder_binding_failed");
  BOOST_TEST(outcome(present(*opened), 1) == "permit");
}

BOOST_FIXTURE_TEST_CASE(a_session_ends_with_the_token_that_it_was_opened_for, Acting) {
  const auto opened = session();
  BOOST_TEST(outcome(present(*opened), 1) == "permit");
  const std::string leaf = hex_encode(required(Token::parse(chain.back())).digest());
  answered(daemon->client().revoke({{"token", leaf}, "test"}));
  BOOST_TEST(outcome(present(*opened), 1) == "revoked");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
