// The introspection endpoint of the real daemon over TLS.

#include <boost/test/unit_test.hpp>

#include "tests/integration/oauth/oauth_scene.hpp"

namespace chancery::tests {
namespace {

// The chain and proof that every other path takes.
std::string authorization(const OAuthScene& scene, const std::optional<std::string>& nonce) {
  const auto credential = required(credential_of(scene.chain, scene.key));
  const auto presented = required(credential->present("POST", scene.issuer + "/v1/introspect", nonce));
  std::vector<std::string> parents = presented.chain;
  parents.pop_back();
  return "Authorization: DPoP " + presented.chain.back() + "\r\nDelegation-Chain: " + text_of(parents) +
         "\r\nDPoP: " + presented.proof + "\r\n";
}

// The client's chain and one token more, for this audience whatever the chain says.
std::string aimed_at(const OAuthScene& scene, const std::vector<std::string>& audience) {
  DelegationRequest request;
  request.client_id = "spiffe://dev.chancery.internal/service/other";
  request.holder = new_key().public_key().thumbprint();
  request.authority = required(Authority::parse(R"({"scopes":["chancery.introspect"]})"));
  request.lifetime = std::chrono::minutes(5);
  auto chain = required(delegate_with(scene.key, scene.chain, request, now()));
  Claims claims = required(Token::parse(chain.back())).claims();
  claims.aud = audience;
  const UnsignedToken token = UnsignedToken::encode(claims, scene.key.public_key(), true);
  chain.back() = token.with(required(scene.key.sign(as_bytes(token.signing_input()))));
  return text_of(chain);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(introspection)

BOOST_FIXTURE_TEST_CASE(a_token_is_active_until_it_ends, OAuthScene) {
  const OAuthAnswer granted = post("/v1/token", credentials_request());
  const std::string token = granted.member("access_token");
  const auto introspected = [&](const std::string& text) {
    return post("/v1/introspect", as_client({{"token", text}}));
  };
  const OAuthAnswer active = introspected(token);
  BOOST_REQUIRE_MESSAGE(active.http.status == 200, active.http.body);
  BOOST_TEST(active.member("active") == "true");
  BOOST_TEST(active.member("sub") == "user:alice@example.org");
  BOOST_TEST(active.member("client_id") == "spiffe://dev.chancery.internal/agent/support");
  BOOST_TEST(active.member("iss") == issuer);
  BOOST_TEST(active.member("scope") == "crm.*");
  BOOST_TEST(active.member("authorization_details") == granted.member("authorization_details"));
  BOOST_TEST(active.member("cnf").find(answered(daemon->client().agent("support")).jkt) != std::string::npos);

  for (const std::string& bad :
       {token.substr(0, token.size() - 4) + "AAAA", std::string("nonsense"), token + "~" + token}) {
    BOOST_TEST(introspected(bad).http.body == R"({"active":false})");
  }
  answered(daemon->client().retire_agent("support"));
  BOOST_TEST(introspected(token).http.body == R"({"active":false})");
}

BOOST_FIXTURE_TEST_CASE(a_single_token_stands_for_its_chain_when_the_daemon_has_recorded_it, OAuthScene) {
  const HolderKey mine = new_key();
  const auto first = post("/v1/token", credentials_request(), "DPoP: " + binding_proof(mine, {}) + "\r\n");
  const auto nonce = first.http.field("DPoP-Nonce");
  const auto bound = post("/v1/token", credentials_request(), "DPoP: " + binding_proof(mine, nonce) + "\r\n");
  BOOST_REQUIRE_MESSAGE(bound.http.status == 200, bound.http.body);
  for (const char* form : {"access_token", "delegation_chain"}) {
    const auto active = post("/v1/introspect", as_client({{"token", bound.member(form)}}));
    BOOST_TEST(active.member("active") == "true");
    BOOST_TEST(active.member("del_depth") == "1");
    BOOST_TEST(active.member("cnf").find(mine.public_key().thumbprint().text()) != std::string::npos);
  }
  // What an operator delegated on its own is not in the records; the token before it is.
  const auto alone = post("/v1/introspect", as_client({{"token", chain.back()}}));
  BOOST_TEST(alone.member("active") == "true");
}

BOOST_FIXTURE_TEST_CASE(the_audience_is_what_all_tokens_of_the_chain_name, OAuthScene) {
  const auto introspected = [&](const std::vector<std::string>& audience) {
    return post("/v1/introspect", as_client({{"token", aimed_at(*this, audience)}}));
  };
  const OAuthAnswer active = introspected({"https://elsewhere.example.org", issuer});
  BOOST_TEST(active.member("active") == "true");
  BOOST_TEST(active.member("aud") == "[\"" + issuer + "\"]");
  BOOST_TEST(introspected({"https://elsewhere.example.org"}).http.body == R"({"active":false})");
}

BOOST_FIXTURE_TEST_CASE(who_may_not_ask_is_told_as_by_a_protected_resource, OAuthScene) {
  const OAuthAnswer nobody = post("/v1/introspect", {{"token", "x"}});
  BOOST_TEST(nobody.http.status == 401);
  BOOST_TEST(nobody.http.field("WWW-Authenticate").value_or("").starts_with("DPoP"));
  BOOST_TEST(nobody.member("error") == "invalid_client");
  key = new_key();
  chain = delegated(key, R"({"scopes":["chancery.agents.read"]})");
  const OAuthAnswer stranger = post("/v1/introspect", as_client({{"token", "x"}}));
  BOOST_TEST(stranger.http.status == 403);
  BOOST_TEST(stranger.member("error") == "insufficient_scope");
}

BOOST_FIXTURE_TEST_CASE(a_chain_and_its_proof_are_as_good_as_an_assertion, OAuthScene) {
  const Fields question{{"token", text_of(operator_chain)}};
  const OAuthAnswer first = post("/v1/introspect", question, authorization(*this, std::nullopt));
  BOOST_TEST(first.http.status == 401);
  BOOST_TEST(first.member("error") == "use_dpop_nonce");
  const OAuthAnswer second =
      post("/v1/introspect", question, authorization(*this, first.http.field("DPoP-Nonce")));
  BOOST_TEST(second.http.status == 200);
  BOOST_TEST(second.member("active") == "true");
}

BOOST_FIXTURE_TEST_CASE(a_hosts_name_is_the_same_in_capitals, OAuthScene) {
  const Fields question{{"token", text_of(operator_chain)}};
  const auto nonce = post("/v1/introspect", question).http.field("DPoP-Nonce");
  host.replace(0, 9, "LOCALHOST");
  BOOST_TEST(post("/v1/introspect", question, authorization(*this, nonce)).http.status == 200);
  host.replace(0, 9, "elsewhere");
  const OAuthAnswer elsewhere = post("/v1/introspect", question, authorization(*this, nonce));
  BOOST_TEST(elsewhere.member("error") == "invalid_dpop_proof");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
