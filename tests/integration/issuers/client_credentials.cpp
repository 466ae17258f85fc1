// Tokens for ourselves, from an authorization server that nobody here wrote.

#include <array>
#include <set>
#include <thread>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include "tests/integration/issuers/provider_scene.hpp"

namespace chancery::tests {
namespace {

using std::chrono::seconds;
using vault::ClientCredentialsIssuer;
using vault::IssuedCredential;
using vault::IssuerState;

constexpr const char* kGiven = "/token client_credentials 200";
constexpr const char* kRevoked = "/token/revocation - 200";

// One server for all: what one case gives is no other's.
ProviderScene& scene() {
  static ProviderScene started;
  return started;
}

ClientCredentialsIssuer issuer_for(const std::shared_ptr<vault::OAuthClient>& client,
                                   const vault::ClientCredentialsOptions& options = {}) {
  return {client, options, scene().time.clock(), scene().lifetimes};
}

// Without a revocation endpoint.
std::shared_ptr<vault::OAuthClient> client_that_keeps() {
  vault::OAuthServer server = scene().server();
  server.revocation_endpoint.clear();
  vault::ClientIdentity identity{"by-secret"};
  identity.secret = SecretBytes(as_bytes(ProviderScene::kSecret));
  return scene().client(std::move(server), std::move(identity));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(client_credentials)

BOOST_AUTO_TEST_CASE(a_client_with_a_secret_gets_what_it_asked_for) {
  auto issuer = issuer_for(scene().secret_client());
  const IssuedCredential token = must(issuer.issue(scene().request(), soon()));
  const std::string said = scene().introspect(token);
  BOOST_TEST(said.find(R"("active":true)") != std::string::npos, said);
  BOOST_TEST(said.find(R"("scope":"orders.read")") != std::string::npos, said);
  BOOST_TEST(said.find(R"("aud":"https://orders.example")") != std::string::npos, said);
  BOOST_TEST((token.expires_at - token.issued_at == ProviderScene::kLifetime));
  BOOST_TEST(!token.ends_with_call);
  BOOST_TEST((issuer.facts().state == IssuerState::kReady));
}

BOOST_AUTO_TEST_CASE(a_client_with_a_key_gets_what_it_asked_for) {
  auto issuer = issuer_for(scene().key_client());
  const IssuedCredential first = must(issuer.issue(scene().request(), soon()));
  BOOST_TEST(scene().is_active(first));
  // The server takes no assertion twice.
  vault::IssueRequest own = scene().request();
  own.single_use = true;
  BOOST_TEST(scene().is_active(must(issuer.issue(own, soon()))));
}

BOOST_AUTO_TEST_CASE(a_token_is_shared_until_half_of_its_life_is_over) {
  auto issuer = issuer_for(scene().secret_client());
  const std::size_t before = scene().count(kGiven);
  const std::string first = text_of(must(issuer.issue(scene().request(), soon())));
  scene().time.move(ProviderScene::kLifetime / 2 - seconds(10));
  BOOST_TEST(text_of(must(issuer.issue(scene().request(), soon()))) == first);
  BOOST_TEST(scene().count(kGiven) == before + 1);
  scene().time.move(seconds(10));
  BOOST_TEST(text_of(must(issuer.issue(scene().request(), soon()))) != first);
  BOOST_TEST(scene().count(kGiven) == before + 2);
}

BOOST_AUTO_TEST_CASE(other_scopes_and_resources_have_other_tokens) {
  auto issuer = issuer_for(scene().secret_client());
  vault::IssueRequest wider = scene().request();
  wider.scopes = {"orders.write", "orders.read", "orders.write"};
  vault::IssueRequest elsewhere = scene().request();
  elsewhere.resource = "https://other.example";
  std::set<std::string> tokens;
  for (const auto& request : {scene().request(), wider, elsewhere})
    tokens.insert(text_of(must(issuer.issue(request, soon()))));
  BOOST_TEST(tokens.size() == 3);
  wider.scopes = {"orders.read", "orders.write"};
  tokens.insert(text_of(must(issuer.issue(wider, soon()))));
  BOOST_TEST(tokens.size() == 3);  // the order of scopes makes no other
}

BOOST_AUTO_TEST_CASE(callers_at_the_same_time_make_one_request) {
  auto issuer = issuer_for(scene().secret_client());
  const std::size_t before = scene().count(kGiven);
  std::array<std::string, 20> tokens;
  std::vector<std::thread> callers;
  for (std::string& token : tokens) {
    callers.emplace_back([&issuer, &token] {
      const auto issued = issuer.issue(scene().request(), soon());
      if (issued) token = text_of(*issued);
    });
  }
  for (std::thread& caller : callers) caller.join();
  BOOST_TEST(!tokens.front().empty());
  BOOST_TEST((std::set<std::string>(tokens.begin(), tokens.end()).size() == 1));
  BOOST_TEST(scene().count(kGiven) == before + 1);
}

BOOST_AUTO_TEST_CASE(a_token_for_one_call_is_nobody_elses_and_is_revoked) {
  auto issuer = issuer_for(scene().secret_client());
  vault::IssueRequest own = scene().request();
  own.single_use = true;
  const IssuedCredential first = must(issuer.issue(own, soon()));
  const IssuedCredential second = must(issuer.issue(own, soon()));
  BOOST_TEST(text_of(first) != text_of(second));
  BOOST_TEST(first.ends_with_call);
  const std::size_t before = scene().count(kRevoked);
  must(issuer.revoke(first, soon()));
  BOOST_TEST(scene().count(kRevoked) == before + 1);
  BOOST_TEST(!scene().is_active(first));
  BOOST_TEST(scene().is_active(second));
}

BOOST_AUTO_TEST_CASE(what_would_outlive_the_leaf_ends_with_the_call) {
  auto issuer = issuer_for(scene().secret_client());
  const IssuedCredential shared = must(issuer.issue(scene().request(), soon()));
  const IssuedCredential token = must(issuer.issue(scene().request(seconds(60)), soon()));
  BOOST_TEST(text_of(token) != text_of(shared));
  BOOST_TEST(token.ends_with_call);
  BOOST_TEST((token.expires_at - token.issued_at == ProviderScene::kLifetime));  // the truth
  must(issuer.revoke(token, soon()));
  BOOST_TEST(!scene().is_active(token));
  BOOST_TEST(scene().is_active(shared));
}

BOOST_AUTO_TEST_CASE(what_would_outlive_the_leaf_and_cannot_be_revoked_is_refused_unless_accepted) {
  auto strict = issuer_for(client_that_keeps());
  BOOST_TEST(error_of(strict.issue(scene().request(seconds(60)), soon())) == "limit_exceeded");
  BOOST_TEST(error_of(strict.issue(scene().request(), soon())) == "none");
  auto lenient = issuer_for(client_that_keeps(), {.accepts_outliving = true});
  const IssuedCredential token = must(lenient.issue(scene().request(seconds(60)), soon()));
  BOOST_TEST(!token.ends_with_call);
}

BOOST_AUTO_TEST_CASE(nothing_is_issued_for_a_leaf_that_has_expired) {
  auto issuer = issuer_for(scene().secret_client());
  const std::size_t before = scene().count(kGiven);
  BOOST_TEST(error_of(issuer.issue(scene().request(seconds(0)), soon())) == "limit_exceeded");
  BOOST_TEST(scene().count(kGiven) == before);
}

BOOST_AUTO_TEST_CASE(a_token_that_the_upstream_refused_is_given_to_nobody_again) {
  auto issuer = issuer_for(scene().secret_client());
  const IssuedCredential first = must(issuer.issue(scene().request(), soon()));
  issuer.report_unauthorized(first);
  const IssuedCredential second = must(issuer.issue(scene().request(), soon()));
  BOOST_TEST(text_of(first) != text_of(second));
  issuer.report_unauthorized(first);  // somebody else, later, of the same one
  BOOST_TEST(text_of(must(issuer.issue(scene().request(), soon()))) == text_of(second));
}

BOOST_AUTO_TEST_CASE(a_wrong_secret_is_told_and_then_forgotten) {
  auto issuer = issuer_for(scene().secret_client("another"));
  BOOST_TEST(error_of(issuer.issue(scene().request(), soon())) == "request_refused");
  const auto facts = issuer.facts();
  BOOST_TEST((facts.state == IssuerState::kFailing));
  BOOST_TEST(std::string(facts.why.what).find("by this secret") != std::string::npos);
  BOOST_TEST(facts.why.native == 401);
}

struct Asked {
  const char* name;
  std::vector<std::string> scopes;
  const char* resource;
  const char* error;
};
std::ostream& operator<<(std::ostream& out, const Asked& row) { return out << row.name; }

const std::array kAsked{
    Asked{"a scope that the client may not have", {"openid"}, "https://orders.example", "request_refused"},
    Asked{"a resource that is no URI", {"orders.read"}, "orders", "request_refused"},
    Asked{"a resource with a fragment", {"orders.read"}, "https://orders.example#a", "invalid_argument"},
    Asked{"a scope with a space in it",
          {"orders.read orders.write"},
          "https://orders.example",
          "invalid_argument"},
    Asked{"a scope with a quote in it", {"\"orders.read\""}, "https://orders.example", "invalid_argument"},
    Asked{"an empty scope", {""}, "https://orders.example", "invalid_argument"},
    Asked{
        "a line end in the resource", {"orders.read"}, "https://orders.example/\r\nX: y", "invalid_argument"},
};

BOOST_DATA_TEST_CASE(what_cannot_be_asked_for_is_refused, boost::unit_test::data::make(kAsked), row) {
  auto issuer = issuer_for(scene().secret_client());
  vault::IssueRequest request = scene().request();
  request.scopes = row.scopes;
  request.resource = row.resource;
  BOOST_TEST(error_of(issuer.issue(request, soon())) == row.error);
}

BOOST_AUTO_TEST_CASE(lifetimes_are_noted_as_they_are_given_out) {
  vault::LifetimeTally tally;
  ClientCredentialsIssuer issuer(scene().secret_client(), {}, scene().time.clock(), tally);
  static_cast<void>(must(issuer.issue(scene().request(), soon())));
  tally.note_used(seconds(3));
  BOOST_TEST(tally.issued.read().sum <= 600U);
  BOOST_TEST(tally.issued.read().sum > 500U);
  BOOST_TEST(tally.issued.read().counts[5] == 1U);  // from five minutes to fifteen
  BOOST_TEST(tally.used.read().sum == 3U);
  BOOST_TEST(tally.used.read().counts[1] == 1U);
}

BOOST_AUTO_TEST_CASE(a_server_that_comes_back_is_used_again) {
  auto issuer = issuer_for(scene().secret_client());
  scene().stop();
  BOOST_TEST(error_of(issuer.issue(scene().request(), soon())) == "connect_failed");
  BOOST_TEST((issuer.facts().state == IssuerState::kFailing));
  scene().start();
  static_cast<void>(must(issuer.issue(scene().request(), soon())));
  BOOST_TEST((issuer.facts().state == IssuerState::kReady));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
