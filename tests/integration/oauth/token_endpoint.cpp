// The token endpoint of the real daemon over TLS: who may ask, what is answered, and in which words it refuses.

#include <boost/test/unit_test.hpp>

#include "sdk/base/hex.hpp"
#include "sdk/client/transport.hpp"
#include "tests/integration/oauth/oauth_scene.hpp"

namespace chancery::tests {
namespace {

constexpr const char* kExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
constexpr const char* kChainType = "urn:chancery:token-type:chain";

struct BadAssertion {
  const char* what;
  void (*spoil)(AssertionClaims&);
};

// Each is the right assertion but for one thing.
constexpr BadAssertion kBadAssertions[]{
    {"another issuer", [](AssertionClaims& claims) { claims.iss = "spiffe://elsewhere/agent/support"; }},
    {"another subject", [](AssertionClaims& claims) { claims.sub = "spiffe://elsewhere/agent/support"; }},
    {"for nobody", [](AssertionClaims& claims) { claims.aud.clear(); }},
    {"for another server", [](AssertionClaims& claims) { claims.aud = {"https://as.example.org"}; }},
    {"for another server too",
     [](AssertionClaims& claims) { claims.aud.emplace_back("https://as.example.org"); }},
    {"for another path", [](AssertionClaims& claims) { claims.aud.front() += "/v1/grants"; }},
    {"without an end", [](AssertionClaims& claims) { claims.exp.reset(); }},
    {"ended", [](AssertionClaims& claims) { claims.exp = *claims.iat - 1; }},
    {"without a beginning", [](AssertionClaims& claims) { claims.iat.reset(); }},
    {"old", [](AssertionClaims& claims) { *claims.iat -= 400; }},
    {"of the future", [](AssertionClaims& claims) { *claims.iat += 120; }},
    {"not good yet", [](AssertionClaims& claims) { claims.nbf = *claims.iat + 120; }},
    {"without a name", [](AssertionClaims& claims) { claims.jti.clear(); }},
    {"a proof", [](AssertionClaims& claims) { claims.typ = "dpop+jwt"; }},
    {"without its key", [](AssertionClaims& claims) { claims.shown.reset(); }},
    {"with a key that holds no chain", [](AssertionClaims& claims) { claims.shown = new_key(); }},
};

Fields replaced(Fields fields, const std::string& name, const std::string& value) {
  for (auto& field : fields) {
    if (field.first == name) field.second = value;
  }
  return fields;
}

Fields without(Fields fields, const std::string& name) {
  std::erase_if(fields, [&](const auto& field) { return field.first == name; });
  return fields;
}

Fields with(Fields fields, const std::string& name, const std::string& value) {
  fields.emplace_back(name, value);
  return fields;
}

Fields exchange_of(const std::string& subject) {
  return {{"grant_type", kExchange}, {"subject_token", subject}, {"subject_token_type", kChainType},
          {"agent", "lookup"},       {"scope", "crm.read"},      {"resource", "https://api.example.org"}};
}

std::string dpop(const std::string& proof) { return "DPoP: " + proof + "\r\n"; }

Token leaf_of(const OAuthAnswer& answer) { return required(Token::parse(answer.member("access_token"))); }

}  // namespace

BOOST_AUTO_TEST_SUITE(token_endpoint)

BOOST_FIXTURE_TEST_CASE(client_credentials_bring_a_grant_for_the_agents_own_key, OAuthScene) {
  const OAuthAnswer answer = post("/v1/token", credentials_request());
  BOOST_REQUIRE_MESSAGE(answer.http.status == 200, answer.http.body);
  BOOST_TEST(answer.http.field("Cache-Control").value_or("") == "no-store");
  BOOST_TEST(answer.member("token_type") == "DPoP");
  BOOST_TEST(answer.member("expires_in") == "1800");
  BOOST_TEST(answer.member("scope") == "crm.*");
  BOOST_TEST(answer.member("delegation_chain") == answer.member("access_token"));
  const Token leaf = leaf_of(answer);
  BOOST_TEST(answer.member("authorization_details") == "[" + leaf.claims().authority.jcs() + "]");
  BOOST_TEST(leaf.claims().holder.text() == answered(daemon->client().agent("support")).jkt);
  BOOST_TEST(leaf.claims().sub == "user:alice@example.org");
  BOOST_TEST(leaf.claims().aud == std::vector<std::string>{"https://api.example.org"});
  BOOST_TEST(answered(daemon->client().verify({{answer.member("access_token")}, {}})).valid());
}

BOOST_FIXTURE_TEST_CASE(a_proof_at_the_token_endpoint_binds_the_token_to_its_key, OAuthScene) {
  const HolderKey mine = new_key();
  const OAuthAnswer first = post("/v1/token", credentials_request(), dpop(binding_proof(mine, std::nullopt)));
  BOOST_TEST(first.http.status == 400);
  BOOST_TEST(first.member("error") == "use_dpop_nonce");
  const auto nonce = first.http.field("DPoP-Nonce");
  BOOST_REQUIRE(nonce);

  const std::string proof = binding_proof(mine, nonce);
  const OAuthAnswer answer = post("/v1/token", credentials_request(), dpop(proof));
  BOOST_REQUIRE_MESSAGE(answer.http.status == 200, answer.http.body);
  BOOST_TEST(answer.member("token_type") == "DPoP");
  BOOST_TEST((leaf_of(answer).claims().holder == mine.public_key().thumbprint()));
  BOOST_TEST(leaf_of(answer).claims().client_id == "spiffe://dev.chancery.internal/agent/support");
  BOOST_TEST(answer.member("expires_in") == "600");
  const auto tokens = split_chain(answer.member("delegation_chain"));
  BOOST_TEST(tokens.size() == 2u);

  BOOST_TEST(post("/v1/token", credentials_request(), dpop(proof)).member("error") == "invalid_dpop_proof");
  const std::string two = dpop(binding_proof(mine, nonce)) + dpop(binding_proof(mine, nonce));
  BOOST_TEST(post("/v1/token", credentials_request(), two).member("error") == "invalid_dpop_proof");
}

BOOST_FIXTURE_TEST_CASE(an_exchange_brings_a_narrowed_child, OAuthScene) {
  const OAuthAnswer granted = post("/v1/token", credentials_request());
  const std::string parent = granted.member("delegation_chain");
  const OAuthAnswer answer = post("/v1/token", as_client(exchange_of(parent)));
  BOOST_REQUIRE_MESSAGE(answer.http.status == 200, answer.http.body);
  BOOST_TEST(answer.member("issued_token_type") == "urn:ietf:params:oauth:token-type:access_token");
  BOOST_TEST(answer.member("token_type") == "DPoP");
  BOOST_TEST(answer.member("scope") == "crm.read");
  BOOST_TEST(answer.member("delegation_chain") == parent + "~" + answer.member("access_token"));
  const Claims claims = leaf_of(answer).claims();
  BOOST_TEST(claims.client_id == "spiffe://dev.chancery.internal/agent/lookup");
  BOOST_TEST(claims.authority.constraints.size() == 1u);  // the parent's

  const auto broken = parent.substr(0, parent.size() - 4) + "AAAA";
  BOOST_TEST(post("/v1/token", as_client(exchange_of(broken))).member("error") == "invalid_request");
  const auto no_type =
      replaced(exchange_of(parent), "subject_token_type", "urn:ietf:params:oauth:token-type:jwt");
  BOOST_TEST(post("/v1/token", as_client(no_type)).member("error") == "invalid_request");
  const auto acted = with(exchange_of(parent), "actor_token", "x");
  BOOST_TEST(post("/v1/token", as_client(acted)).member("error") == "invalid_request");
  const auto a_chain = with(exchange_of(parent), "requested_token_type", kChainType);
  BOOST_TEST(post("/v1/token", as_client(a_chain)).member("error") == "invalid_request");
}

BOOST_FIXTURE_TEST_CASE(what_is_more_than_can_be_given_is_refused_in_the_word_for_it, OAuthScene) {
  const std::string parent = post("/v1/token", credentials_request()).member("delegation_chain");
  const auto error = [&](const Fields& fields) { return post("/v1/token", fields).member("error"); };
  const auto wider = replaced(exchange_of(parent), "scope", "payments.refund");
  BOOST_TEST(error(as_client(wider)) == "invalid_scope");
  const auto in_detail = with(without(wider, "scope"), "authorization_details",
                              R"([{"type":"agent_delegation","scopes":["payments.refund"]}])");
  BOOST_TEST(error(as_client(in_detail)) == "invalid_authorization_details");
  const auto elsewhere = replaced(exchange_of(parent), "resource", "https://elsewhere.example.org");
  BOOST_TEST(error(as_client(elsewhere)) == "invalid_target");
  BOOST_TEST(error(replaced(credentials_request(), "lifetime_s", "31536000")) == "invalid_request");
  BOOST_TEST(error(replaced(credentials_request(), "depth", "1000")) == "invalid_request");
}

BOOST_FIXTURE_TEST_CASE(an_assertion_that_is_wrong_in_one_thing_is_no_client, OAuthScene) {
  const Fields request = credentials_request();
  for (const BadAssertion& bad : kBadAssertions) {
    BOOST_TEST_CONTEXT(bad.what) {
      AssertionClaims claims = right_claims();
      bad.spoil(claims);
      const OAuthAnswer answer = post(
          "/v1/token", replaced(request, "client_assertion", assertion(claims, claims.shown.value_or(key))));
      BOOST_TEST(answer.http.status == 400);
      BOOST_TEST(answer.member("error") == "invalid_client");
    }
  }
  const std::string forged = assertion(right_claims(), new_key());
  for (const Fields& fields :
       {replaced(request, "client_assertion", forged), without(request, "client_assertion"),
        without(request, "client_assertion_type"), without(request, "client_chain"),
        replaced(request, "client_chain", text_of(operator_chain)), with(request, "client_id", "someone")}) {
    BOOST_TEST(post("/v1/token", fields).member("error") == "invalid_client");
  }
}

BOOST_FIXTURE_TEST_CASE(an_assertion_counts_once, OAuthScene) {
  const Fields request = credentials_request();
  BOOST_TEST(post("/v1/token", request).http.status == 200);
  BOOST_TEST(post("/v1/token", request).member("error") == "invalid_client");
}

BOOST_FIXTURE_TEST_CASE(an_assertion_may_name_the_token_endpoint_or_its_client_twice, OAuthScene) {
  AssertionClaims claims = right_claims();
  claims.aud = {issuer + "/v1/token"};
  claims.typ = "client-authentication+jwt";
  const Fields request = replaced(credentials_request(), "client_assertion", assertion(claims, key));
  BOOST_TEST(post("/v1/token", with(request, "client_id", claims.iss)).http.status == 200);
}

BOOST_FIXTURE_TEST_CASE(a_client_is_given_what_its_chain_says_and_no_more, OAuthScene) {
  const auto error = [&](const Fields& fields) { return post("/v1/token", fields).member("error"); };
  BOOST_TEST(error(replaced(credentials_request(), "sub", "service:crm")) == "unauthorized_client");
  BOOST_TEST(error(replaced(credentials_request(), "agent", "lookup")) == "unauthorized_client");
  // Its authority is over `support` alone, and it may not introspect for others.
  const HolderKey other = new_key();
  key = other;
  chain = delegated(other, R"({"scopes":["chancery.sessions.create"]})");
  BOOST_TEST(error(credentials_request()) == "unauthorized_client");
}

BOOST_FIXTURE_TEST_CASE(each_mistake_in_a_request_has_its_word, OAuthScene) {
  const auto error = [&](const Fields& fields) { return post("/v1/token", fields).member("error"); };
  const auto spoiled = [&](const char* name, const char* value) {
    return error(replaced(credentials_request(), name, value));
  };
  BOOST_TEST(spoiled("grant_type", "password") == "unsupported_grant_type");
  BOOST_TEST(spoiled("lifetime_s", "soon") == "invalid_request");
  BOOST_TEST(spoiled("lifetime_s", "0") == "invalid_request");
  BOOST_TEST(spoiled("resource", "api") == "invalid_target");
  BOOST_TEST(spoiled("resource", "https://api.example.org/#part") == "invalid_target");
  for (const char* details :
       {"{}", "[]", R"([{"type":"payment"}])", R"([{"type":"agent_delegation","scopes":[]}])",
        R"([{"type":"agent_delegation","scopes":["crm.read"],"actions":["x"]}])",
        R"([{"type":"agent_delegation","scopes":["a.b"],"scopes":["c.d"]}])", "not JSON"}) {
    BOOST_TEST(spoiled("authorization_details", details) == "invalid_authorization_details");
  }
  const auto by_scope = [&](const char* scope) {
    return error(with(without(credentials_request(), "authorization_details"), "scope", scope));
  };
  BOOST_TEST(by_scope("") == "invalid_request");
  BOOST_TEST(by_scope("crm.read  crm.write") == "invalid_scope");
  BOOST_TEST(error(with(credentials_request(), "scope", "crm.read")) == "invalid_request");
  BOOST_TEST(error(with(credentials_request(), "sub", "user:bob")) == "invalid_request");
  BOOST_TEST(error(without(credentials_request(), "sub")) == "invalid_request");
  BOOST_TEST(error(replaced(credentials_request(), "sub", "user:\xff")) == "invalid_request");
  BOOST_TEST(error({}) == "unsupported_grant_type");
}

BOOST_FIXTURE_TEST_CASE(what_clients_discover_is_what_there_is, OAuthScene) {
  const OAuthAnswer server = get("/.well-known/oauth-authorization-server");
  BOOST_TEST(server.member("token_endpoint") == issuer + "/v1/token");
  BOOST_TEST(server.member("introspection_endpoint") == issuer + "/v1/introspect");
  BOOST_TEST(server.member("token_endpoint_auth_methods_supported") == R"(["private_key_jwt"])");
  const OAuthAnswer resource = get("/.well-known/oauth-protected-resource");
  BOOST_TEST(resource.member("resource") == issuer);
  BOOST_TEST(resource.member("authorization_servers") == "[\"" + issuer + "\"]");
  BOOST_TEST(resource.member("scopes_supported").find("\"chancery.introspect\"") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(the_unix_socket_has_no_endpoints_of_oauth, OAuthScene) {
  const auto transport = client::make_unix_transport(daemon->socket().string());
  for (const char* path : {"/v1/token", "/v1/introspect", "/v1/revoke"}) {
    const auto answer =
        transport->send({"POST", path, "{}"}, std::chrono::steady_clock::now() + std::chrono::seconds(20));
    BOOST_REQUIRE(answer);
    BOOST_TEST(answer->status == 404);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
