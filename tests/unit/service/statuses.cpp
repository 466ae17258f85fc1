// Revocation, suspension, impact and drills, as their callers see them.

#include <array>

#include <boost/test/data/test_case.hpp>

#include "daemon/service/status_acts.hpp"
#include "daemon/service/status_keeper.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/wire/messages.hpp"
#include "sdk/wire/status_messages.hpp"
#include "tests/unit/service/office_fixture.hpp"

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;
using namespace std::chrono_literals;
using rest::Response;

std::string id_of(std::string_view compact) {
  return hex_encode(sha256(as_bytes(compact.substr(0, compact.rfind('.')))));
}

/// alice's chain through three agents, orchestrator → support → lookup, and bob's of support alone.
struct Story : OfficeFixture {
  std::string root = "?", middle = "?", leaf = "?", bobs = "?";  ///< chains as JSON arrays

  Story() {
    create_story_agents();
    root = grant("user:alice", "orchestrator");
    middle = delegate(root, "support", kOrchestratorUid);
    leaf = delegate(middle, "lookup", kSupportUid);
    bobs = grant("user:bob", "support");
  }

  Response ask_grant(const std::string& principal, const std::string& agent, int lifetime = 600) {
    return call("POST", "/v1/grants",
                R"({"principal":")" + principal + R"(","agent":")" + agent +
                    R"(","audience":"https://api.example","scopes":["crm.read"],"depth":3,"lifetime_s":)" +
                    std::to_string(lifetime) + "}",
                kOperatorUid);
  }
  std::string grant(const std::string& principal, const std::string& agent) {
    const Response granted = ask_grant(principal, agent);
    BOOST_REQUIRE_MESSAGE(granted.status == 201, granted.body);
    return chain_of(granted);
  }
  Response ask_delegate(const std::string& chain, const std::string& to, std::uint32_t uid) {
    return call("POST", "/v1/delegations",
                R"({"chain":)" + chain + R"(,"to":")" + to + R"(","scopes":["crm.read"]})", uid);
  }
  std::string delegate(const std::string& chain, const std::string& to, std::uint32_t uid) {
    const Response delegated = ask_delegate(chain, to, uid);
    BOOST_REQUIRE_MESSAGE(delegated.status == 201, delegated.body);
    return chain_of(delegated);
  }

  /// "valid", or the reason why not.
  std::string told(const std::string& chain) {
    const Response verdict = call("POST", "/v1/chains/verify", R"({"chain":)" + chain + "}", std::nullopt);
    const std::string outcome = member(verdict, "outcome");
    return outcome == "valid" ? outcome : member(verdict, "reason");
  }

  static std::vector<std::string> tokens(const std::string& chain) {
    const auto document = json::Document::parse(chain);
    std::vector<std::string> out;
    for (const json::Value& token : document->root().items()) out.emplace_back(*token.string());
    return out;
  }
  static std::string leaf_id(const std::string& chain) { return id_of(tokens(chain).back()); }

  Response post(const std::string& path, const std::string& body) {
    return call("POST", path, body, kOperatorUid);
  }
  /// \return the act's number
  std::string suspend(const std::string& body) {
    const Response done = post("/v1/suspensions", body);
    BOOST_REQUIRE_MESSAGE(done.status == 201, done.body);
    return member(done, "id");
  }
  Response lift(const std::string& id) { return post("/v1/suspensions/" + id + "/lift", "{}"); }

  std::string last_audit_action() {
    const auto last = store().audit_tail(1);
    const auto document = json::Document::parse(last->front().json);
    return std::string(*document->root().find("action")->string());
  }

  void keep(std::chrono::sys_seconds now) {
    service::StatusKeeper(office().statuses, office().joins, [](const char* what, const Error& error) {
      BOOST_ERROR(what << ": " << error.what);
    }).tick(now);
  }
};

constexpr const char* kRevoked = "the token was revoked";
constexpr const char* kSuspended = "the token is suspended";

}  // namespace

BOOST_AUTO_TEST_SUITE(statuses)

// --- references

BOOST_FIXTURE_TEST_CASE(tokens_refer_to_a_status_list_unless_they_live_shortly, Story) {
  for (const std::string& compact : tokens(leaf)) {
    const auto token = Token::parse(compact);
    BOOST_REQUIRE(token->claims().status);
    BOOST_TEST(token->claims().status->uri.starts_with("https://issuer.example/v1/status-lists/"));
    BOOST_TEST(store().token(id_of(compact))->status.has_value());
  }
  const std::array lifetimes{std::pair{59, false}, std::pair{60, true}};
  for (const auto& [lifetime, refers] : lifetimes) {
    const std::string chain = chain_of(ask_grant("user:carol", "support", lifetime));
    BOOST_TEST(Token::parse(tokens(chain).back())->claims().has_status == refers);
    BOOST_TEST(told(chain) == "valid");
  }
  change_policy([](service::Policy& policy) { policy.min_status_lifetime = 0s; });
  const std::string chain = chain_of(ask_grant("user:carol", "support", 1));
  BOOST_TEST(Token::parse(tokens(chain).back())->claims().has_status);
}

// --- acts

struct Target {
  const char* kind;
  const char* value;        ///< "@root" and so on: the id of that chain's last token; "@key": support's
  const char* told_middle;  ///< of the chain, when it is revoked
  const char* told_bobs;
};
std::ostream& operator<<(std::ostream& out, const Target& row) { return out << row.kind << " " << row.value; }

constexpr std::array kTargets{
    Target{"token", "@root", kRevoked, "valid"},
    Target{"token", "@leaf", "valid", "valid"},
    Target{"subtree", "@root", kRevoked, "valid"},
    Target{"subtree", "@leaf", "valid", "valid"},
    Target{"agent", "support", kRevoked, kRevoked},
    Target{"agent", "lookup", "valid", "valid"},
    Target{"principal", "user:alice", kRevoked, "valid"},
    Target{"principal", "user:bob", "valid", kRevoked},
    Target{"key", "@key", "the key that holds the token has ended", "the key that holds the token has ended"},
};

std::string body_of(Story& story, const Target& row) {
  std::string value = row.value;
  if (value == "@root") value = Story::leaf_id(story.root);
  if (value == "@leaf") value = Story::leaf_id(story.leaf);
  if (value == "@key") {
    value = story.store().agent_by_name("support")->key.stored.public_key.thumbprint().text();
  }
  return std::string(R"({")") + row.kind + R"(":")" + value + R"(","reason":"because"})";
}

BOOST_DATA_TEST_CASE(what_was_revoked_is_denied_from_then_on, data::make(kTargets), row) {
  Story story;
  BOOST_TEST(story.told(story.leaf) == "valid");
  const Response done = story.post("/v1/revocations", body_of(story, row));
  BOOST_REQUIRE_MESSAGE(done.status == 201, done.body);
  BOOST_TEST(OfficeFixture::member(done, "kind") == "revoke");
  BOOST_TEST(story.told(story.middle) == row.told_middle);
  BOOST_TEST(story.told(story.bobs) == row.told_bobs);
  BOOST_TEST(story.last_audit_action() ==
             (row.kind == std::string("key") ? "key.destroyed" : "token.revoke"));
  // Also by a daemon that starts anew.
  BOOST_REQUIRE(story.office().statuses.tokens.publish(kNow));
  BOOST_TEST(story.told(story.middle) == row.told_middle);
}

BOOST_DATA_TEST_CASE(what_was_suspended_counts_again_once_it_is_lifted, data::make(kTargets), row) {
  Story story;
  const std::string id = story.suspend(body_of(story, row));
  const bool middle = std::string_view(row.told_middle) != "valid";
  const bool bobs = std::string_view(row.told_bobs) != "valid";
  BOOST_TEST(story.told(story.middle) == (middle ? kSuspended : "valid"));
  BOOST_TEST(story.told(story.bobs) == (bobs ? kSuspended : "valid"));
  BOOST_TEST((story.told(story.leaf) != "valid" || !middle));
  BOOST_TEST(story.lift(id).status == 200);
  for (const std::string& chain : {story.root, story.middle, story.leaf, story.bobs}) {
    BOOST_TEST(story.told(chain) == "valid");
  }
  BOOST_TEST(story.lift(id).status == 409);
}

BOOST_FIXTURE_TEST_CASE(nothing_comes_of_what_is_suspended, Story) {
  const std::string id = suspend(R"({"agent":"support"})");
  const Response granted = ask_grant("user:carol", "support");
  BOOST_TEST(granted.status == 403);
  BOOST_TEST(member(granted, "code") == "forbidden");
  BOOST_TEST(member(ask_delegate(bobs, "lookup", kSupportUid), "reason") == kSuspended);
  BOOST_TEST(ask_delegate(root, "support", kOrchestratorUid).status == 403);
  BOOST_TEST(lift(id).status == 200);
  BOOST_TEST(ask_grant("user:carol", "support").status == 201);
  BOOST_TEST(ask_delegate(bobs, "lookup", kSupportUid).status == 201);
}

BOOST_FIXTURE_TEST_CASE(keys_end_as_they_did_and_take_their_tokens_with_them, Story) {
  const std::string key = store().agent_by_name("support")->key.stored.public_key.thumbprint().text();
  BOOST_TEST(post("/v1/keys/" + key + "/revoke", "{}").status == 200);
  BOOST_TEST(told(leaf) == "the key that holds the token has ended");
  const auto ended = office().statuses.book.ended(kNow);
  BOOST_TEST(ended->size() == 3u);  // support's two, and lookup's
  // Again by the other way: it was revoked before.
  BOOST_TEST(post("/v1/revocations", R"({"key":")" + key + R"("})").status == 409);
}

struct Refused {
  const char* body;
  int status;
};
std::ostream& operator<<(std::ostream& out, const Refused& row) { return out << row.body; }

constexpr std::array kRefused{
    Refused{"{}", 400},
    Refused{R"({"agent":"support","token":"00"})", 400},
    Refused{R"({"agent":"nobody"})", 404},
    Refused{R"({"token":"abc"})", 400},
    Refused{R"({"token":"0000000000000000000000000000000000000000000000000000000000000000"})", 404},
    Refused{R"({"subtree":"0000000000000000000000000000000000000000000000000000000000000000"})", 404},
    Refused{R"({"key":"abc"})", 400},
    Refused{R"({"principal":""})", 400},
    Refused{R"({"agent":"support","colour":"red"})", 400},
};

BOOST_DATA_TEST_CASE(targets_that_are_none_are_refused, data::make(kRefused), row) {
  Story story;
  for (const char* const path : {"/v1/revocations", "/v1/suspensions"}) {
    const Response refused = story.post(path, row.body);
    BOOST_TEST(refused.status == row.status, path << refused.body);
  }
  BOOST_TEST(story.told(story.leaf) == "valid");
}

BOOST_FIXTURE_TEST_CASE(only_the_operator_takes_back, Story) {
  const std::array asked{std::pair{"/v1/revocations", R"({"agent":"support"})"},
                         std::pair{"/v1/suspensions", R"({"agent":"support"})"},
                         std::pair{"/v1/suspensions/1/lift", "{}"},
                         std::pair{"/v1/impact", R"({"agent":"support"})"},
                         std::pair{"/v1/drills", R"({"agent":"support","window_s":60})"},
                         std::pair{"/v1/status-keys/rotate", "{}"}};
  for (const auto& [path, body] : asked) {
    BOOST_TEST(call("POST", path, body, kSupportUid).status == 403, path);
    BOOST_TEST(call("POST", path, body, std::nullopt).status == 401, path);
  }
  for (const char* const path : {"/v1/drills/1", "/v1/status-keys"}) {
    BOOST_TEST(call("GET", path, "", kSupportUid).status == 403, path);
  }
  BOOST_TEST(told(leaf) == "valid");
}

BOOST_FIXTURE_TEST_CASE(a_delegate_does_not_end_what_it_stands_on, Story) {
  const std::vector<std::string> chain = tokens(leaf);
  const std::vector<std::string_view> views(chain.begin(), chain.end());
  service::CallContext context;  // of who acts by the chain of three tokens
  context.caller.chain = service::judge_use(office(), views, kNow, {}).chain();
  std::vector<std::string> caller;
  for (const std::string& token : chain) caller.push_back(id_of(token));
  using Kind = store::StatusTarget::Kind;
  const auto may = [&](Kind kind, const std::string& value) {
    return service::require_no_ancestor(office(), context, {kind, value}).has_value();
  };
  const auto agent = [&](const char* name) { return store().agent_by_name(name)->id; };
  BOOST_TEST(!may(Kind::kToken, caller[0]));
  BOOST_TEST(!may(Kind::kToken, caller[1]));
  BOOST_TEST(!may(Kind::kSubtree, caller[0]));
  BOOST_TEST(!may(Kind::kAgent, agent("support")));
  BOOST_TEST(!may(Kind::kPrincipal, "user:alice"));
  BOOST_TEST(may(Kind::kToken, caller[2]));
  BOOST_TEST(may(Kind::kAgent, agent("lookup")));
  BOOST_TEST(may(Kind::kPrincipal, "user:bob"));
  BOOST_TEST(may(Kind::kToken, leaf_id(bobs)));
  context.caller = {};
  BOOST_TEST(may(Kind::kToken, caller[0]));
}

// --- impact

BOOST_FIXTURE_TEST_CASE(impact_tells_what_would_end_and_ends_nothing, Story) {
  set_now(kNow + 5s);
  BOOST_TEST(told(leaf) == "valid");
  set_now(kNow + 9s);
  BOOST_TEST(told(bobs) == "valid");
  const std::string id = suspend(R"({"token":")" + leaf_id(bobs) + R"("})");
  const auto asked = wire::read_impact(post("/v1/impact", R"({"agent":"support"})").body);
  BOOST_REQUIRE(asked);
  BOOST_TEST(asked->tokens == 2u);
  BOOST_TEST(asked->descendants == 1u);
  const auto now = kNow.time_since_epoch().count();
  BOOST_TEST((asked->last_used_at == now + 9));
  BOOST_TEST((asked->until == now + 600));
  BOOST_TEST(
      (asked->agents == std::vector<api::ImpactAgent>{{"lookup", 1, now + 5}, {"support", 2, now + 9}}));
  BOOST_TEST(asked->open_reservations == 0u);
  BOOST_TEST(asked->standing.empty());  // it holds one of the agent's tokens, and not the agent
  const auto token = wire::read_impact(post("/v1/impact", R"({"token":")" + leaf_id(bobs) + R"("})").body);
  BOOST_REQUIRE(token->standing.size() == 1u);
  BOOST_TEST(std::to_string(token->standing[0].id) == id);
  BOOST_TEST(told(leaf) == "valid");
}

// --- drills

BOOST_FIXTURE_TEST_CASE(a_drill_denies_counts_and_ends_by_itself, Story) {
  const Response started = post("/v1/drills", R"({"agent":"support","window_s":60})");
  BOOST_REQUIRE_MESSAGE(started.status == 201, started.body);
  const std::int64_t id = wire::read_drill(started.body)->act.id;
  const auto report = [&] {
    const Response shown = call("GET", "/v1/drills/" + std::to_string(id), "", kOperatorUid);
    return wire::read_drill(shown.body).value();
  };
  set_now(kNow + 3s);
  for (int i = 0; i < 3; ++i) BOOST_TEST(told(leaf) == kSuspended);
  set_now(kNow + 7s);
  BOOST_TEST(told(bobs) == kSuspended);
  BOOST_TEST(told(root) == "valid");
  BOOST_TEST(ask_delegate(bobs, "lookup", kSupportUid).status == 403);  // a use too
  keep(kNow + 59s);
  BOOST_TEST(!report().act.lifted_at);
  BOOST_TEST(told(leaf) == kSuspended);
  keep(kNow + 60s);
  const api::Drill drill = report();
  const auto now = kNow.time_since_epoch().count();
  BOOST_TEST((drill.act.lifted_at == now + 60));
  BOOST_TEST(drill.act.tokens == 3u);
  BOOST_REQUIRE(drill.denials.size() == 2u);
  BOOST_TEST((drill.denials[0] == api::DrillDenial{leaf_id(leaf), "lookup", 4, now + 3, now + 7}));
  // The delegation that was refused was a use too, and so is asking why.
  BOOST_TEST((drill.denials[1] == api::DrillDenial{leaf_id(bobs), "support", 3, now + 7, now + 7}));
  BOOST_TEST(told(leaf) == "valid");
  BOOST_TEST(last_audit_action() == "drill.end");
}

BOOST_FIXTURE_TEST_CASE(a_drill_is_ended_by_hand_too, Story) {
  const Response started = post("/v1/drills", R"({"principal":"user:bob","window_s":60})");
  BOOST_TEST(told(bobs) == kSuspended);
  BOOST_TEST(lift(std::to_string(wire::read_drill(started.body)->act.id)).status == 200);
  BOOST_TEST(told(bobs) == "valid");
  keep(kNow + 60s);
  BOOST_TEST(last_audit_action() == "token.lift");
}

BOOST_FIXTURE_TEST_CASE(what_is_no_drill_is_refused, Story) {
  for (const char* const window : {"0", "3601", "-1", "1.5"}) {
    const Response refused =
        post("/v1/drills", std::string(R"({"agent":"support","window_s":)") + window + "}");
    BOOST_TEST(refused.status == 400, window);
  }
  BOOST_TEST(call("GET", "/v1/drills/99", "", kOperatorUid).status == 404);
  BOOST_TEST(call("GET", "/v1/drills/x", "", kOperatorUid).status == 404);
  const std::string id = suspend(R"({"agent":"support"})");
  BOOST_TEST(call("GET", "/v1/drills/" + id, "", kOperatorUid).status == 404);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
