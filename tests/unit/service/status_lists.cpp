// Status lists as they are served, and the keys that sign them.

#include <set>
#include <thread>

#include "sdk/verify/status_list.hpp"
#include "sdk/wire/messages.hpp"
#include "tests/unit/service/office_fixture.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;
using rest::Response;

/// A daemon with one agent and one token, whose status stands in a list.
struct Listed : OfficeFixture {
  std::string chain;
  StatusReference reference;

  Listed() {
    create_agent("support", kSupportUid);
    const Response granted =
        call("POST", "/v1/grants",
             R"({"principal":"u","agent":"support","audience":"a","scopes":["crm.read"],"lifetime_s":600})",
             kOperatorUid);
    BOOST_REQUIRE_MESSAGE(granted.status == 201, granted.body);
    chain = chain_of(granted);
    const auto document = json::Document::parse(chain);
    reference = Token::parse(*document->root().items().front().string())->claims().status.value();
  }

  /// \param etag  that the caller has
  Response fetch(const std::string& etag = {}) {
    std::vector<std::pair<std::string, std::string>> headers;
    if (!etag.empty()) headers.emplace_back("if-none-match", etag);
    return call("GET", path(), "", std::nullopt, std::move(headers));
  }
  [[nodiscard]] std::string path() const {
    return reference.uri.substr(std::string_view("https://issuer.example").size());
  }

  static std::string header(const Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return {};
  }

  std::vector<PublicKey> status_keys() { return office().trust.keys(store::kStatusLists); }

  /// What a verifier with the published keys reads.
  std::optional<StatusList> read(const Response& response) {
    std::vector<VerifyKey> keys;
    for (const PublicKey& key : status_keys()) keys.push_back(VerifyKey::from(key).value());
    auto opened = open_status_list(response.body, keys);
    if (!opened) return std::nullopt;
    return std::move(opened->list);
  }

  void suspend() {
    BOOST_TEST(call("POST", "/v1/suspensions", R"({"agent":"support"})", kOperatorUid).status == 201);
  }
  /// What somebody else's verifier says of the chain with this list.
  Outcome offline(const Response& response) {
    TrustConfig trust;
    trust.anchors.emplace_back().keys = office().trust.keys(store::kIssuer);
    trust.anchors.back().status_prefixes = {"https://issuer.example/v1/status-lists/"};
    trust.anchors.back().status_keys = status_keys();
    trust.status_lists = {{reference.uri, response.body, kNow}};
    const auto document = json::Document::parse(chain);
    const std::vector<std::string_view> tokens{*document->root().items().front().string()};
    return verify_chain(tokens, TrustSnapshot(std::move(trust)), kNow).outcome();
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(served_status_lists)

BOOST_FIXTURE_TEST_CASE(a_list_says_what_became_of_its_tokens, Listed) {
  const Response response = fetch();
  BOOST_TEST(response.status == 200);
  BOOST_TEST(response.content_type == "application/statuslist+jwt");
  BOOST_TEST(header(response, "Cache-Control") == "no-cache");
  const auto list = read(response);
  BOOST_REQUIRE(list);
  BOOST_TEST(list->subject == reference.uri);
  BOOST_TEST(list->bits == 2u);
  BOOST_TEST((list->ttl == 60.0));
  BOOST_TEST((list->exp == static_cast<double>((kNow + 120s).time_since_epoch().count())));
  BOOST_TEST((list->at(reference.index) == 0u));
  BOOST_TEST((offline(response) == Outcome::kValid));
  suspend();
  BOOST_TEST((read(fetch())->at(reference.index) == 2u));
  BOOST_TEST((offline(fetch()) == Outcome::kRevoked));
  BOOST_TEST(call("POST", "/v1/revocations", R"({"agent":"support"})", kOperatorUid).status == 201);
  BOOST_TEST((read(fetch())->at(reference.index) == 1u));
}

BOOST_FIXTURE_TEST_CASE(an_agents_end_stands_in_the_list, Listed) {
  BOOST_TEST((read(fetch())->at(reference.index) == 0u));
  BOOST_TEST(call("DELETE", "/v1/agents/support", "", kOperatorUid).status == 200);
  BOOST_TEST((read(fetch())->at(reference.index) == 1u));
}

BOOST_FIXTURE_TEST_CASE(a_list_is_signed_again_when_it_changed_or_aged, Listed) {
  const std::string first = fetch().body;
  BOOST_TEST(fetch().body == first);
  set_now(kNow + 59s);
  BOOST_TEST(fetch().body == first);
  set_now(kNow + 60s);
  const std::string second = fetch().body;
  BOOST_TEST(second != first);
  suspend();
  const std::string third = fetch().body;
  BOOST_TEST(third != second);
  // What does not concern the list costs no signature.
  create_agent("other", kLookupUid);
  BOOST_TEST(call("POST", "/v1/revocations", R"({"agent":"other"})", kOperatorUid).status == 201);
  BOOST_TEST(fetch().body == third);
}

BOOST_FIXTURE_TEST_CASE(who_has_the_list_is_not_sent_it_again, Listed) {
  const Response first = fetch();
  const std::string etag = header(first, "ETag");
  for (const std::string& sent : {etag, "\"x\", " + etag, "W/" + etag, std::string("*")}) {
    const Response again = fetch(sent);
    BOOST_TEST(again.status == 304, sent);
    BOOST_TEST(again.body.empty());
    BOOST_TEST(header(again, "ETag") == etag);
  }
  BOOST_TEST(fetch("\"x\"").status == 200);
  suspend();
  BOOST_TEST(fetch(etag).status == 200);
}

BOOST_FIXTURE_TEST_CASE(there_is_no_other_list, Listed) {
  for (const char* const name : {"0", "2", "99", "01", "+1", "x", "-1", "18446744073709551616", "1.0"}) {
    BOOST_TEST(call("GET", std::string("/v1/status-lists/") + name, "", std::nullopt).status == 404, name);
  }
}

BOOST_FIXTURE_TEST_CASE(while_its_device_is_away_a_list_is_served_as_long_as_it_is_true, Listed) {
  const std::string first = fetch().body;
  device().fail_with(Error{ErrorCode::kDeviceUnavailable, "away"});
  set_now(kNow + 119s);
  BOOST_TEST(fetch().body == first);
  set_now(kNow + 120s);
  BOOST_TEST(fetch().status == 503);
  set_now(kNow);
  BOOST_TEST(fetch().body == first);
  suspend();
  BOOST_TEST(fetch().status == 503);
  device().fail_with(std::nullopt);
  BOOST_TEST((read(fetch())->at(reference.index) == 2u));
}

BOOST_FIXTURE_TEST_CASE(of_many_who_ask_at_once_one_has_it_signed, Listed) {
  fetch();
  suspend();
  std::vector<std::string> bodies(32);
  {
    std::vector<std::jthread> threads;
    for (std::string& body : bodies) threads.emplace_back([&] { body = fetch().body; });
  }
  // An ECDSA signature is another each time.
  BOOST_TEST(std::set<std::string>(bodies.begin(), bodies.end()).size() == 1u);
  BOOST_TEST((read(fetch())->at(reference.index) == 2u));
}

// --- keys

BOOST_FIXTURE_TEST_CASE(the_keys_of_lists_are_published_and_rotated, Listed) {
  const Response first = fetch();
  BOOST_TEST(status_keys().size() == 1u);
  const auto rotated = wire::read_rotation(call("POST", "/v1/status-keys/rotate", "{}", kOperatorUid).body);
  BOOST_REQUIRE(rotated);
  BOOST_TEST(rotated->key.owner == "status");
  BOOST_TEST(rotated->former->state == "rotating");
  const Response published = call("GET", "/.well-known/status-jwks.json", "", std::nullopt);
  BOOST_TEST(published.status == 200);
  for (const api::Key& key : {rotated->key, *rotated->former}) {
    BOOST_TEST(published.body.find(key.jkt) != std::string::npos);
  }
  BOOST_TEST(read(first).has_value());
  suspend();
  BOOST_TEST(fetch().body.find(rotated->key.jkt) == std::string::npos);  // base64url of it stands there
  BOOST_TEST(read(fetch()).has_value());
  const auto listed = wire::read_key_list(call("GET", "/v1/status-keys", "", kOperatorUid).body);
  BOOST_TEST(listed->keys.size() == 2u);
  // None of them is an issuer's.
  const Response issuers = call("GET", "/.well-known/jwks.json", "", std::nullopt);
  BOOST_TEST(issuers.body.find(rotated->key.jkt) == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_revoked_key_of_lists_is_published_no_more, Listed) {
  fetch();
  const std::string jkt = status_keys().front().thumbprint().text();
  BOOST_TEST(call("POST", "/v1/keys/" + jkt + "/revoke", "{}", kOperatorUid).status == 200);
  BOOST_TEST(status_keys().empty());
  suspend();
  const Response refused = fetch();
  BOOST_TEST(member(refused, "code") == "key_lost");
  BOOST_TEST(call("POST", "/v1/status-keys/rotate", "{}", kOperatorUid).status == 200);
  BOOST_TEST((read(fetch())->at(reference.index) == 2u));
}

BOOST_FIXTURE_TEST_CASE(the_metadata_say_where_lists_and_keys_are, Listed) {
  const Response metadata = call("GET", "/.well-known/oauth-authorization-server", "", std::nullopt);
  BOOST_TEST(member(metadata, "status_list_jwks_uri") ==
             "https://issuer.example/.well-known/status-jwks.json");
  BOOST_TEST(reference.uri.starts_with(member(metadata, "status_list_prefix")));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
