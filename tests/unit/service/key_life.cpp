// A key's life in the daemon, with keys in memory and time as the tests give it.

#include <array>

#include <boost/test/data/test_case.hpp>

#include "daemon/service/key_keeper.hpp"
#include "tests/unit/service/office_fixture.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;
using rest::Response;
namespace data = boost::unit_test::data;
using store::KeyIntent;
using store::KeyState;

/// An orchestrator that holds a chain and may delegate to support, and the keeper of the daemon's keys.
struct Keys : OfficeFixture {
  Keys() {
    make_own_keys();
    create_story_agents();
  }

  std::string root_chain() {
    const Response granted = call("POST", "/v1/grants",
                                  R"({"principal":"user:alice@example.org","agent":"orchestrator",)"
                                  R"("audience":"https://api.example.org","scopes":["crm.read"],)"
                                  R"("lifetime_s":3600,"depth":3})",
                                  kOperatorUid);
    BOOST_REQUIRE_MESSAGE(granted.status == 201, granted.body);
    return chain_of(granted);
  }
  Response delegate(const std::string& chain) {
    return call("POST", "/v1/delegations",
                R"({"chain":)" + chain + R"(,"to":"support","scopes":["crm.read"]})", kOrchestratorUid);
  }
  Response prove(const std::string& chain) {
    return call("POST", "/v1/proofs", R"({"chain":)" + chain + R"(,"htm":"GET","htu":"https://a/b"})",
                kOrchestratorUid);
  }
  Response verify(const std::string& chain) {
    return call("POST", "/v1/chains/verify", R"({"chain":)" + chain + "}", std::nullopt);
  }
  std::string outcome(const std::string& chain) { return member(verify(chain), "outcome"); }

  Response post(const std::string& path, const std::string& body = "{}") {
    return call("POST", path, body, kOperatorUid);
  }
  Response rotate(const std::string& body = "{}") { return post("/v1/agents/orchestrator/rotate", body); }
  std::string state(const std::string& agent = "orchestrator") {
    return member(call("GET", "/v1/agents/" + agent, "", kOperatorUid), "state");
  }
  store::Key key_of(const std::string& agent = "orchestrator") {
    const auto found = store().agent_by_name(agent);
    BOOST_REQUIRE(found);
    return found->key;
  }
  store::Key again(const store::Key& key) {
    const auto found = store().key(key.stored.public_key.thumbprint());
    BOOST_REQUIRE(found);
    return *found;
  }
  static std::string jkt(const store::Key& key) { return key.stored.public_key.thumbprint().text(); }

  /// Lets so much time pass, with rounds of the keeper on the way.
  void pass(std::chrono::seconds time) {
    constexpr int kRounds = 20;
    for (int i = 1; i <= kRounds; ++i) keeper.tick(kNow + elapsed + time * i / kRounds);
    elapsed += time;
    set_now(kNow + elapsed);
  }
  bool signs(const store::Key& key) {
    return device().sign(key.stored, as_bytes("x"), std::chrono::steady_clock::now() + 10s).has_value();
  }

  std::chrono::seconds elapsed{0};
  std::vector<std::string> complaints;
  service::KeeperOptions options;
  service::KeyKeeper keeper{office(), options,
                            [this](const char* what, const Error&) { complaints.emplace_back(what); }};
};

/// The same with rotation by age.
struct AgedKeys : Keys {
  service::KeyKeeper by_age{office(),
                            {.max_agent_key_age = 24h, .max_issuer_key_age = 72h},
                            [this](const char* what, const Error&) { complaints.emplace_back(what); }};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(key_life)

BOOST_FIXTURE_TEST_CASE(a_rotation_gives_new_tokens_the_new_key_and_keeps_the_old_chains, Keys) {
  const std::string old_chain = root_chain();
  const store::Key old_key = key_of();
  const Response rotated = rotate();
  BOOST_REQUIRE_MESSAGE(rotated.status == 200, rotated.body);
  BOOST_TEST(state() == "rotating");
  BOOST_TEST(jkt(key_of()) != jkt(old_key));
  const std::string new_chain = root_chain();
  for (const std::string& chain : {old_chain, new_chain}) {
    BOOST_TEST(outcome(chain) == "valid");
    BOOST_TEST(delegate(chain).status == 201);
    BOOST_TEST(prove(chain).status == 201);
  }
}

BOOST_FIXTURE_TEST_CASE(when_the_overlap_ends_the_old_key_is_destroyed_and_its_chains_end, Keys) {
  const std::string old_chain = root_chain();
  const std::string below = chain_of(delegate(old_chain));
  const store::Key old_key = key_of();
  BOOST_REQUIRE(rotate(R"({"overlap_s":600})").status == 200);
  const std::string new_chain = root_chain();
  pass(599s);
  BOOST_TEST(outcome(old_chain) == "valid");
  BOOST_TEST(signs(old_key));
  pass(1s);
  BOOST_TEST(state() == "active");
  BOOST_TEST((again(old_key).state == KeyState::kRetired));
  BOOST_TEST(again(old_key).destroyed_at.has_value());
  BOOST_TEST(again(old_key).stored.blob.empty());
  BOOST_TEST(!signs(old_key));
  BOOST_TEST(outcome(old_chain) == "revoked");
  BOOST_TEST(outcome(below) == "revoked");
  BOOST_TEST(member(delegate(old_chain), "code") == "retired");
  BOOST_TEST(outcome(new_chain) == "valid");
  BOOST_TEST(delegate(new_chain).status == 201);
  BOOST_TEST(complaints.empty());
}

BOOST_FIXTURE_TEST_CASE(an_overlap_of_nothing_ends_the_old_key_at_once, Keys) {
  const std::string old_chain = root_chain();
  BOOST_REQUIRE(rotate(R"({"overlap_s":0})").status == 200);
  BOOST_TEST(member(delegate(old_chain), "code") == "retired");
  pass(1s);
  BOOST_TEST(outcome(old_chain) == "revoked");
}

struct RefusedRotation {
  const char* name;
  const char* path;
  const char* body;
  int status;
  const char* code;
};
std::ostream& operator<<(std::ostream& out, const RefusedRotation& c) { return out << c.name; }

constexpr std::array kRefused{
    RefusedRotation{"no such agent", "/v1/agents/nobody/rotate", "{}", 404, "not_found"},
    RefusedRotation{"overlap below zero", "/v1/agents/support/rotate", R"({"overlap_s":-1})", 400,
                    "malformed"},
    RefusedRotation{"overlap too long", "/v1/agents/support/rotate", R"({"overlap_s":31622401})", 400,
                    "invalid_argument"},
    RefusedRotation{"unknown backend", "/v1/agents/support/rotate", R"({"backend":"x"})", 400,
                    "backend_unknown"},
    RefusedRotation{"unknown algorithm", "/v1/agents/support/rotate", R"({"algorithm":"RS256"})", 400,
                    "unsupported_algorithm"},
    RefusedRotation{"unknown member", "/v1/agents/support/rotate", R"({"overlap":60})", 400, "malformed"},
    RefusedRotation{"a well key enrolled again", "/v1/agents/support/reenroll", "{}", 409, "conflict"},
    RefusedRotation{"an issuer's key elsewhere", "/v1/issuer/rotate", R"({"backend":"memory"})", 400,
                    "invalid_argument"},
    RefusedRotation{"no thumbprint", "/v1/keys/support/revoke", "{}", 400, "invalid_argument"},
    RefusedRotation{"no such key", "/v1/keys/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/revoke", "{}", 404,
                    "not_found"},
    RefusedRotation{"no such backend", "/v1/backends/x/adopt", "{}", 400, "backend_unknown"},
    RefusedRotation{"no other device", "/v1/backends/memory/adopt", "{}", 409, "conflict"},
};

BOOST_DATA_TEST_CASE(what_cannot_be_done_to_a_key_says_why, data::make(kRefused), c) {
  Keys keys;
  const auto before = keys.device().keys();
  const Response refused = keys.post(c.path, c.body);
  BOOST_TEST(refused.status == c.status, refused.body);
  BOOST_TEST(OfficeFixture::member(refused, "code") == c.code, refused.body);
  BOOST_TEST(keys.device().keys() == before);
  BOOST_TEST(keys.store().intents()->empty());
}

BOOST_FIXTURE_TEST_CASE(keys_are_the_operators_alone, Keys) {
  const std::string key = jkt(key_of());
  const std::array<std::pair<const char*, std::string>, 7> asked{{
      {"GET", "/v1/agents/orchestrator/keys"},
      {"POST", "/v1/agents/orchestrator/rotate"},
      {"POST", "/v1/agents/orchestrator/reenroll"},
      {"GET", "/v1/issuer/keys"},
      {"POST", "/v1/issuer/rotate"},
      {"POST", "/v1/keys/" + key + "/revoke"},
      {"POST", "/v1/backends/memory/adopt"},
  }};
  for (const auto& [method, path] : asked) {
    BOOST_TEST(call(method, path, "{}", kOrchestratorUid).status == 403, path);
    BOOST_TEST(call(method, path, "{}", std::nullopt).status == 401, path);
  }
}

BOOST_FIXTURE_TEST_CASE(a_rotation_may_change_the_algorithm, Keys) {
  BOOST_REQUIRE(rotate(R"({"algorithm":"Ed25519"})").status == 200);
  BOOST_TEST((key_of().stored.public_key.algorithm() == Algorithm::kEd25519));
  const std::string chain = root_chain();
  BOOST_TEST(outcome(chain_of(delegate(chain))) == "valid");
  BOOST_REQUIRE(rotate().status == 200);
  BOOST_TEST((key_of().stored.public_key.algorithm() == Algorithm::kEd25519));
}

// --- the issuer's

BOOST_FIXTURE_TEST_CASE(both_issuer_keys_are_published_until_the_overlap_ends, Keys) {
  const std::string old_chain = root_chain();
  const auto published = [&] { return office().trust.keys(store::kIssuer).size(); };
  BOOST_TEST(published() == 1u);
  const Response rotated = post("/v1/issuer/rotate", R"({"overlap_s":1800})");
  BOOST_REQUIRE_MESSAGE(rotated.status == 200, rotated.body);
  BOOST_TEST(published() == 2u);
  const std::string new_chain = root_chain();
  BOOST_TEST(outcome(old_chain) == "valid");
  pass(1800s);
  BOOST_TEST(published() == 1u);
  BOOST_TEST(outcome(old_chain) == "signature_invalid");
  BOOST_TEST(outcome(new_chain) == "valid");
  const auto keys = store().keys(store::kIssuer);
  BOOST_REQUIRE(keys->size() == 2u);
  BOOST_TEST((keys->back().state == KeyState::kRetired));
  BOOST_TEST(keys->back().destroyed_at.has_value());
}

BOOST_FIXTURE_TEST_CASE(a_lost_issuer_key_is_made_anew_only_when_it_is_asked_for, Keys) {
  const std::string chain = root_chain();
  device().fail_with(Error{ErrorCode::kKeyLost, "gone"});
  const std::string grant = R"({"principal":"u","agent":"support","audience":"a","scopes":["crm.read"],)"
                            R"("lifetime_s":60})";
  BOOST_TEST(member(post("/v1/grants", grant), "code") == "key_lost");
  device().fail_with(std::nullopt);
  BOOST_TEST(member(post("/v1/grants", grant), "code") == "key_lost");
  BOOST_TEST(call("GET", "/readyz", "", std::nullopt).body.find("issuer key: lost") != std::string::npos);
  BOOST_TEST(outcome(chain) == "valid");  // what it signed counts on
  BOOST_TEST(post("/v1/issuer/rotate").status == 200);
  BOOST_TEST(post("/v1/grants", grant).status == 201);
  BOOST_TEST(outcome(chain) == "valid");
}

// --- time

BOOST_FIXTURE_TEST_CASE(keys_that_are_too_old_are_followed_by_others, AgedKeys) {
  const std::string chain = root_chain();
  const store::Key old_key = key_of();
  by_age.tick(kNow + 24h - 1s);
  BOOST_TEST(jkt(key_of()) == jkt(old_key));
  by_age.tick(kNow + 24h);
  for (const char* agent : {"orchestrator", "support", "lookup"}) {
    BOOST_TEST(state(agent) == "rotating", agent);
    BOOST_TEST(store().keys(store().agent_by_name(agent)->id)->size() == 2u, agent);
  }
  BOOST_TEST(store().keys(store::kIssuer)->size() == 1u);
  by_age.tick(kNow + 24h + 1s);
  BOOST_TEST(store().keys(store().agent_by_name("support")->id)->size() == 2u);
  by_age.tick(kNow + 24h + 10min);  // the overlap
  BOOST_TEST((again(old_key).state == KeyState::kRetired));
  by_age.tick(kNow + 72h);
  BOOST_TEST(store().keys(store::kIssuer)->size() == 2u);
  BOOST_TEST(complaints.empty());
}

BOOST_FIXTURE_TEST_CASE(an_issuer_key_is_not_forgotten_over_many_older_keys_of_agents, Keys) {
  for (std::size_t i = 0; i < store::kMaxPage; ++i) {
    store::Agent agent;
    agent.id = *service::random_id();
    agent.name = "agent-" + std::to_string(i);
    agent.selectors = "{}";
    agent.created_at = kNow - 1h;
    const auto made =
        device().create({agent.id, agent.id}, Algorithm::kES256, std::chrono::steady_clock::now() + 10s);
    BOOST_REQUIRE(made);
    agent.key = {.owner = agent.id, .backend = "memory", .stored = *made, .created_at = agent.created_at};
    BOOST_REQUIRE(store().add_agent(agent, {kNow, "backend.pin"}));
  }
  BOOST_REQUIRE(!root_chain().empty());
  service::KeyKeeper by_age{office(),
                            {.max_agent_key_age = 365 * 24h, .max_issuer_key_age = 24h},
                            [this](const char* what, const Error&) { complaints.emplace_back(what); }};
  by_age.tick(kNow + 24h);
  BOOST_TEST(store().keys(store::kIssuer)->size() == 2u);
  BOOST_TEST(complaints.empty());
}

BOOST_FIXTURE_TEST_CASE(without_a_limit_keys_grow_old, Keys) {
  const store::Key key = key_of();
  pass(std::chrono::hours(24 * 365 * 10));
  BOOST_TEST(jkt(key_of()) == jkt(key));
}

BOOST_FIXTURE_TEST_CASE(the_daemons_own_keys_are_made_when_their_device_is_there, OfficeFixture) {
  service::KeyKeeper keeper(office(), {}, [](const char*, const Error&) {});
  device().fail_with(Error{ErrorCode::kDeviceUnavailable, "away"});
  keeper.tick(kNow, {});
  BOOST_TEST(!office().issuer.newest().value().has_value());
  device().fail_with(std::nullopt);
  keeper.tick(kNow + 1s, {});
  BOOST_TEST(!office().issuer.newest().value().has_value());  // not each second
  keeper.tick(kNow + 30s, {});
  BOOST_TEST(office().issuer.newest().value().has_value());
  BOOST_TEST(office().statuses.keys.newest().value().has_value());
}

BOOST_FIXTURE_TEST_CASE(a_device_that_is_away_is_asked_again_after_a_while, AgedKeys) {
  device().fail_with(Error{ErrorCode::kDeviceUnavailable, "away"});
  by_age.tick(kNow + 24h);
  BOOST_TEST(complaints.size() == 1u);
  by_age.tick(kNow + 24h + 1s);
  BOOST_TEST(complaints.size() == 1u);
  BOOST_TEST(state() == "active");
  device().fail_with(std::nullopt);
  by_age.tick(kNow + 24h + 30s);
  BOOST_TEST(state() == "rotating");
}

// --- ends

BOOST_FIXTURE_TEST_CASE(a_retirement_destroys_the_keys_and_shows_what_that_ends, Keys) {
  const std::string chain = root_chain();
  BOOST_REQUIRE(rotate().status == 200);
  BOOST_REQUIRE(delegate(chain).status == 201);
  const auto before = device().keys();
  const Response retired = call("DELETE", "/v1/agents/orchestrator", "", kOperatorUid);
  BOOST_REQUIRE_MESSAGE(retired.status == 200, retired.body);
  const auto document = json::Document::parse(retired.body);
  const json::Value* ended = document->root().find("ended");
  BOOST_REQUIRE(ended != nullptr);
  BOOST_TEST(*ended->find("held")->integer() == 1);
  BOOST_TEST(*ended->find("descendants")->integer() == 1);
  BOOST_TEST(ended->find("agents")->source() == R"(["support"])");
  BOOST_TEST(*ended->find("until")->integer() == (kNow + 3600s).time_since_epoch().count());
  BOOST_TEST(device().keys() == before - 2);
  BOOST_TEST(store().intents()->empty());
  BOOST_TEST(outcome(chain) == "revoked");
}

BOOST_FIXTURE_TEST_CASE(what_a_device_does_not_destroy_now_it_destroys_later, Keys) {
  const store::Key key = key_of();
  const auto before = device().keys();
  device().fail_with(Error{ErrorCode::kDeviceUnavailable, "away"});
  BOOST_TEST(call("DELETE", "/v1/agents/orchestrator", "", kOperatorUid).status == 200);
  BOOST_TEST(store().intents()->size() == 1u);
  pass(40s);
  BOOST_TEST(store().intents()->size() == 1u);
  BOOST_TEST(!complaints.empty());
  device().fail_with(std::nullopt);
  pass(40s);
  BOOST_TEST(store().intents()->empty());
  BOOST_TEST(device().keys() == before - 1);
  BOOST_TEST(again(key).destroyed_at.has_value());
}

BOOST_FIXTURE_TEST_CASE(a_revoked_key_ends_its_chains_and_the_agent_gets_another, Keys) {
  const std::string chain = root_chain();
  const std::string other = chain_of(delegate(chain));
  const store::Key key = key_of();
  const Response revoked = post("/v1/keys/" + jkt(key) + "/revoke", R"({"reason":"stolen laptop"})");
  BOOST_REQUIRE_MESSAGE(revoked.status == 200, revoked.body);
  BOOST_TEST(state() == "revoked");
  BOOST_TEST(outcome(chain) == "revoked");
  BOOST_TEST(outcome(other) == "revoked");
  BOOST_TEST(!signs(key));
  BOOST_TEST(post("/v1/keys/" + jkt(key) + "/revoke").status == 409);
  BOOST_TEST(rotate().status == 409);
  BOOST_TEST(post("/v1/agents/orchestrator/reenroll").status == 200);
  BOOST_TEST(state() == "active");
  BOOST_TEST(outcome(root_chain()) == "valid");
  BOOST_TEST(outcome(chain) == "revoked");
}

// --- loss

BOOST_FIXTURE_TEST_CASE(an_agent_whose_key_is_lost_is_enrolled_again_under_its_name, Keys) {
  const std::string chain = root_chain();
  const store::Key key = key_of();
  device().fail_with(Error{ErrorCode::kKeyLost, "gone"});
  BOOST_TEST(member(prove(chain), "code") == "key_lost");
  device().fail_with(std::nullopt);
  BOOST_TEST(state() == "lost");
  BOOST_TEST(rotate().status == 409);
  const Response enrolled = post("/v1/agents/orchestrator/reenroll", R"({"revoke":true})");
  BOOST_REQUIRE_MESSAGE(enrolled.status == 200, enrolled.body);
  BOOST_TEST(state() == "active");
  BOOST_TEST((again(key).state == KeyState::kRevoked));
  BOOST_TEST(outcome(chain) == "revoked");
  BOOST_TEST(outcome(root_chain()) == "valid");
}

BOOST_FIXTURE_TEST_CASE(enrolling_again_revokes_all_that_the_agent_lost_when_it_shall, Keys) {
  const store::Key older = key_of();
  BOOST_REQUIRE(rotate().status == 200);
  const store::Key newer = key_of();
  const store::Key other = key_of("support");
  device().fail_with(Error{ErrorCode::kWrongDevice, "another"});
  pass(10s);
  device().fail_with(std::nullopt);
  BOOST_REQUIRE(post("/v1/agents/orchestrator/reenroll", R"({"revoke":true})").status == 200);
  BOOST_TEST((again(older).state == KeyState::kRevoked));
  BOOST_TEST((again(newer).state == KeyState::kRevoked));
  BOOST_TEST((again(other).state == KeyState::kLost));
  BOOST_REQUIRE(post("/v1/agents/support/reenroll").status == 200);
  BOOST_TEST((again(other).state == KeyState::kLost));
}

BOOST_FIXTURE_TEST_CASE(keys_of_another_device_are_lost_until_the_right_one_is_back, Keys) {
  const std::string chain = root_chain();
  device().fail_with(Error{ErrorCode::kWrongDevice, "another"});
  pass(10s);
  BOOST_TEST(state() == "lost");
  BOOST_TEST(member(call("GET", "/v1/agents/support", "", kOperatorUid), "reason") == "wrong_device");
  BOOST_TEST(member(delegate(chain), "code") == "wrong_device");
  const Response readiness = call("GET", "/readyz", "", std::nullopt);
  BOOST_TEST(readiness.body.find("agents: 3 with a lost") != std::string::npos, readiness.body);
  device().fail_with(std::nullopt);
  pass(10s);
  BOOST_TEST(state() == "active");
  BOOST_TEST(delegate(chain).status == 201);
}

BOOST_FIXTURE_TEST_CASE(a_device_is_adopted_by_the_operator_and_the_agents_enrolled_again, Keys) {
  const std::string chain = root_chain();
  BOOST_REQUIRE(store().pin_backend("memory", "00aa", {kNow, "backend.pin"}));
  device().exchange_device();
  pass(10s);
  BOOST_TEST(state() == "lost");
  BOOST_TEST(device().keys() == 7u);  // nothing was made
  const Response adopted = post("/v1/backends/memory/adopt");
  BOOST_REQUIRE_MESSAGE(adopted.status == 200, adopted.body);
  pass(10s);
  BOOST_TEST(state() == "lost");
  BOOST_TEST(member(call("GET", "/v1/agents/support", "", kOperatorUid), "reason") == "device_replaced");
  for (const char* agent : {"orchestrator", "support"}) {
    BOOST_TEST(post("/v1/agents/" + std::string(agent) + "/reenroll").status == 200);
  }
  BOOST_TEST(post("/v1/issuer/rotate").status == 200);
  BOOST_TEST(outcome(chain_of(delegate(root_chain()))) == "valid");
}

// --- interrupted

BOOST_FIXTURE_TEST_CASE(an_interrupted_registration_leaves_nothing_in_the_device, Keys) {
  const auto before = device().keys();
  const std::string id(32, 'e');
  BOOST_REQUIRE(store().add_intent({KeyIntent::Kind::kMake, "memory", id, "k1", {}}));
  BOOST_REQUIRE(
      device().create({id, "k1"}, Algorithm::kES256, std::chrono::steady_clock::now() + 10s).has_value());
  BOOST_TEST(device().keys() == before + 1);
  pass(1s);
  BOOST_TEST(device().keys() == before);
  BOOST_TEST(store().intents()->empty());
}

BOOST_FIXTURE_TEST_CASE(an_interrupted_rotation_is_carried_on, Keys) {
  const store::Key old_key = key_of();
  const std::string id = old_key.owner;
  const auto before = device().keys();
  BOOST_REQUIRE(store().add_intent({KeyIntent::Kind::kRotate, "memory", id, "k2", 5min}));
  BOOST_REQUIRE(device().create({id, "k2"}, Algorithm::kES256, std::chrono::steady_clock::now() + 10s));
  pass(1s);
  BOOST_TEST(state() == "rotating");
  BOOST_TEST(key_of().stored.binding.key_id == "k2");
  BOOST_TEST(device().keys() == before + 1);
  BOOST_TEST((again(old_key).state == KeyState::kRotating));
  BOOST_TEST(store().intents()->empty());
}

BOOST_FIXTURE_TEST_CASE(an_interrupted_rotation_keeps_its_algorithm, Keys) {
  BOOST_REQUIRE(store().add_intent(
      {KeyIntent::Kind::kRotate, "memory", key_of().owner, "k2", 5min, Algorithm::kEd25519}));
  pass(1s);
  BOOST_TEST((key_of().stored.public_key.algorithm() == Algorithm::kEd25519));
}

// An intent that was read before its key was recorded, or that another hand wrote, harms no key in use.
BOOST_FIXTURE_TEST_CASE(an_intent_about_a_key_that_serves_does_nothing_to_it, Keys) {
  const store::Key key = key_of();
  const auto before = device().keys();
  for (const auto kind : {KeyIntent::Kind::kMake, KeyIntent::Kind::kRotate, KeyIntent::Kind::kDestroy}) {
    BOOST_REQUIRE(store().add_intent({kind, "memory", key.owner, key.stored.binding.key_id, 5min}));
    pass(40s);
    BOOST_TEST(store().intents()->empty());
    BOOST_TEST(signs(key));
    BOOST_TEST((again(key).state == KeyState::kActive));
    BOOST_TEST(device().keys() == before);
  }
}

BOOST_FIXTURE_TEST_CASE(an_interrupted_rotation_of_the_issuer_is_carried_on, Keys) {
  const std::string chain = root_chain();
  BOOST_REQUIRE(
      store().add_intent({KeyIntent::Kind::kRotate, "memory", std::string(store::kIssuer), "k2", 1h}));
  pass(1s);
  BOOST_TEST(office().trust.keys(store::kIssuer).size() == 2u);
  BOOST_TEST(outcome(chain) == "valid");
}

BOOST_FIXTURE_TEST_CASE(a_rotation_of_an_agent_that_was_retired_meanwhile_is_given_up, Keys) {
  const std::string id = key_of().owner;
  BOOST_REQUIRE(store().add_intent({KeyIntent::Kind::kRotate, "memory", id, "k2", 5min}));
  BOOST_REQUIRE(call("DELETE", "/v1/agents/orchestrator", "", kOperatorUid).status == 200);
  pass(1s);
  BOOST_TEST(store().intents()->empty());
  BOOST_TEST(store().keys(id)->size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
