// The revocation endpoint of the real daemon over TLS.

#include <boost/test/unit_test.hpp>

#include "tests/integration/oauth/oauth_scene.hpp"

namespace chancery::tests {
namespace {

/// A scene with a token that is bound to a key of the client's.
struct BoundToken : OAuthScene {
  BoundToken() {
    const auto ask = [&](const std::optional<std::string>& nonce) {
      return post("/v1/token", credentials_request(), "DPoP: " + binding_proof(mine, nonce) + "\r\n");
    };
    const OAuthAnswer answer = ask(ask(std::nullopt).http.field("DPoP-Nonce"));
    BOOST_REQUIRE_MESSAGE(answer.http.status == 200, answer.http.body);
    bound = answer.member("delegation_chain");
  }

  [[nodiscard]] bool is_valid(const std::string& text) const {
    const auto tokens = split_chain(text);
    return answered(daemon->client().verify({{tokens.begin(), tokens.end()}, {}})).valid();
  }

  HolderKey mine = new_key();
  std::string bound;
};

std::vector<std::string> tokens_of(const std::string& text) {
  const auto tokens = split_chain(text);
  return {tokens.begin(), tokens.end()};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(revocation)

BOOST_FIXTURE_TEST_CASE(a_holder_gives_its_own_token_back_and_no_other, BoundToken) {
  const std::string parent = tokens_of(bound).front();
  key = mine;  // from here on the client is the token's holder, with nothing but the token
  chain = tokens_of(bound);
  const OAuthAnswer other = post("/v1/revoke", as_client({{"token", parent}}));
  BOOST_TEST(other.http.status == 400);
  BOOST_TEST(other.member("error") == "unauthorized_client");
  BOOST_TEST(is_valid(parent));

  BOOST_TEST(post("/v1/revoke", as_client({{"token", bound}})).http.status == 200);
  BOOST_TEST(!is_valid(bound));
  BOOST_TEST(is_valid(parent));
  // It was what the client was known by.
  BOOST_TEST(post("/v1/revoke", as_client({{"token", bound}})).member("error") == "invalid_client");
}

BOOST_FIXTURE_TEST_CASE(with_authority_to_revoke_everything_below_a_token_ends_too, BoundToken) {
  BOOST_TEST(post("/v1/revoke", as_client({{"token", bound}})).member("error") == "unauthorized_client");
  key = new_key();
  chain = delegated(key, R"({"scopes":["chancery.revocations.create"]})");
  const std::string parent = tokens_of(bound).front();
  BOOST_TEST(post("/v1/revoke", as_client({{"token", parent}})).http.status == 200);
  BOOST_TEST(!is_valid(parent));
  BOOST_TEST(!is_valid(bound));
}

// Neither is in the daemon's records before.
BOOST_FIXTURE_TEST_CASE(what_was_delegated_offline_ends_too, BoundToken) {
  const std::vector<std::string> given = chain;
  key = new_key();
  chain = delegated(key, R"({"scopes":["chancery.revocations.create"]})");
  BOOST_TEST(is_valid(join_chain(given)));
  BOOST_TEST(post("/v1/revoke", as_client({{"token", join_chain(given)}})).http.status == 200);
  BOOST_TEST(!is_valid(join_chain(given)));
  BOOST_TEST(is_valid(join_chain(chain)));
  BOOST_TEST(post("/v1/revoke", as_client({{"token", chain.back()}})).http.status == 200);  // its own
  BOOST_TEST(!is_valid(join_chain(chain)));
}

BOOST_FIXTURE_TEST_CASE(what_is_no_token_of_the_daemons_is_revoked_already, OAuthScene) {
  BOOST_TEST(post("/v1/revoke", as_client({{"token", "nonsense"}})).http.status == 200);
  BOOST_TEST(post("/v1/revoke", as_client({{"token", chain.front().substr(1)}})).http.status == 200);
  BOOST_TEST(post("/v1/revoke", as_client({})).member("error") == "invalid_request");
  BOOST_TEST(post("/v1/revoke", {{"token", "nonsense"}}).member("error") == "invalid_client");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
