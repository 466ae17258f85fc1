// What was delegated offline ends as what was issued here: joined processes, sessions, chains that are shown.

#include <array>

#include <boost/test/data/test_case.hpp>

#include <chancery/proof.hpp>

#include "daemon/service/authenticate.hpp"
#include "daemon/service/status_keeper.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "tests/unit/service/chain_callers.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;
using rest::Response;
using Holder = ChainCallers::Holder;

constexpr const char* kUse =
    R"({"scopes":["chancery.delegations.create","chancery.sessions.create","chancery.agents.retire",)"
    R"("chancery.agents.rotate","chancery.agents.reenroll","chancery.issuer.rotate",)"
    R"("chancery.keys.revoke","chancery.revocations.create"]})";

/// An operator far away, and the agent `support`, whose process joins.
struct Offline : OfficeFixture {
  Offline() {
    create_story_agents();
    callers.emplace(*this);
    change_policy([](service::Policy& policy) { policy.public_urls = {kIssuerUrl}; });
  }

  [[nodiscard]] std::string jkt_of(const char* agent) {
    return store().agent_by_name(agent)->key.stored.public_key.thumbprint().text();
  }
  /// From the operator to the agent's own key; nobody here has seen it.
  [[nodiscard]] std::vector<std::string> access() {
    return callers->delegated(callers->root,
                              store().agent_by_name("support")->key.stored.public_key.thumbprint(), kUse);
  }
  Result<api::JoinToken> ask_join_token(const std::vector<std::string>& chain) {
    return service::create_join_token(office(), callers->by(callers->root), {"support", chain});
  }
  [[nodiscard]] std::string proof_by(const Holder& holder, const char* path, const std::string& bound_to) {
    const ProofClaims claims{"POST",
                             kIssuerUrl + std::string(path),
                             holder.key.public_key().thumbprint().text(),
                             office().nonces.current(kNow),
                             {}};
    const auto proof = UnsignedProof::encode(claims, bound_to, holder.key.public_key(), kNow);
    BOOST_REQUIRE(proof);
    return proof->with(*holder.key.sign(as_bytes(proof->signing_input())));
  }
  Result<Holder> join(const std::string& token) {
    Holder process;
    service::CallContext context;  // of nobody
    context.now = kNow;
    context.deadline = std::chrono::steady_clock::now() + 10s;
    CHANCERY_ASSIGN(api::Joined joined,
                    service::join(office(), context, token, proof_by(process, "/v1/join", token)));
    process.chain = std::move(joined.chain);
    return process;
  }
  Holder joined() {
    const auto token = ask_join_token(access());
    BOOST_REQUIRE(token);
    auto process = join(token->token);
    BOOST_REQUIRE(process);
    return *std::move(process);
  }

  Response post(const std::string& path, const std::string& body) {
    return call("POST", path, body, kOperatorUid);
  }
  /// "valid", or the reason why not.
  std::string told(const std::vector<std::string>& chain) {
    const Response verdict =
        call("POST", "/v1/chains/verify", R"({"chain":")" + join_chain(chain) + R"("})", std::nullopt);
    const std::string outcome = member(verdict, "outcome");
    return outcome == "valid" ? outcome : member(verdict, "reason");
  }

  std::optional<ChainCallers> callers;
};

template <typename T>
std::string code_of(const Result<T>& result) {
  return result ? std::string() : std::string(error_name(result.error().code));
}

std::string id_of(const std::string& compact) { return hex_encode(Token::parse(compact)->digest()); }

constexpr std::array kKinds{"agent", "key", "token", "principal"};

std::string target_of(Offline& scene, std::string_view kind, const std::string& access) {
  const std::string value = kind == "agent"   ? "support"
                            : kind == "key"   ? scene.jkt_of("support")
                            : kind == "token" ? id_of(access)
                                              : "operator:admin";
  return "{\"" + std::string(kind) + "\":\"" + value + "\"}";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(offline_chains)

BOOST_DATA_TEST_CASE(a_joined_process_is_suspended_with_its_agent, boost::unit_test::data::make(kKinds),
                     kind) {
  Offline scene;
  const std::vector<std::string> access = scene.access();
  const auto unused = scene.ask_join_token(access);
  BOOST_REQUIRE(unused);
  const auto process = scene.join(scene.ask_join_token(access)->token);
  BOOST_REQUIRE(process);
  const Response suspended = scene.post("/v1/suspensions", target_of(scene, kind, access.back()));
  BOOST_REQUIRE_MESSAGE(suspended.status == 201, suspended.body);
  BOOST_TEST(scene.told(process->chain) == "the token is suspended");
  BOOST_TEST(code_of(scene.join(unused->token)) == "parent_denied");
  BOOST_TEST(scene.post("/v1/suspensions/" + scene.member(suspended, "id") + "/lift", "{}").status == 200);
  BOOST_TEST(scene.told(process->chain) == "valid");
  // What was refused meanwhile has not used the join token up.
  BOOST_TEST(code_of(scene.join(unused->token)) == "");
}

BOOST_FIXTURE_TEST_CASE(a_revocation_of_the_agent_ends_its_join_tokens, Offline) {
  const auto unused = ask_join_token(access());
  const Holder process = joined();
  BOOST_TEST(post("/v1/revocations", R"({"agent":"support"})").status == 201);
  BOOST_TEST(told(process.chain) == "the token was revoked");
  const auto refused = join(unused->token);
  BOOST_TEST(code_of(refused) == "forbidden");
  BOOST_TEST(std::string_view(refused.error().what).starts_with("the join token has expired"));
}

BOOST_FIXTURE_TEST_CASE(a_chain_that_was_never_seen_meets_what_stands_over_its_holder, Offline) {
  const std::vector<std::string> early = access();
  const Response suspended = post("/v1/suspensions", R"({"agent":"support"})");
  BOOST_TEST(code_of(ask_join_token(early)) == "parent_denied");
  BOOST_TEST(post("/v1/suspensions/" + member(suspended, "id") + "/lift", "{}").status == 200);
  BOOST_TEST(code_of(ask_join_token(early)) == "");
  BOOST_TEST(post("/v1/revocations", R"({"agent":"support"})").status == 201);
  const std::vector<std::string> issued_before = access();
  BOOST_TEST(code_of(ask_join_token(issued_before)) == "parent_denied");
  BOOST_TEST(told(issued_before) == "the token was revoked");
}

BOOST_FIXTURE_TEST_CASE(a_session_is_its_agents, Offline) {
  const Response granted = post(
      "/v1/grants",
      R"({"principal":"user:alice","agent":"support","audience":"https://api.example","scopes":["crm.read"],)"
      R"("depth":2,"lifetime_s":600})");
  const std::vector<std::string> chain = ChainCallers::texts(chain_of(granted));
  const Holder process;
  const Response opened = call("POST", "/v1/sessions",
                               R"({"chain":")" + join_chain(chain) + R"(","key_proof":")" +
                                   proof_by(process, "/v1/sessions", chain.back()) + R"("})",
                               kSupportUid);
  BOOST_REQUIRE_MESSAGE(opened.status == 201, opened.body);
  const std::vector<std::string> session = ChainCallers::texts(chain_of(opened));
  BOOST_TEST(*store().token(id_of(session.back()))->agent_id == store().agent_by_name("support")->id);
  const Response impact = post("/v1/impact", R"({"agent":"support"})");
  BOOST_TEST(member(impact, "tokens") == "2", impact.body);
  BOOST_TEST(member(impact, "descendants") == "0");
}

BOOST_FIXTURE_TEST_CASE(join_tokens_are_forgotten_in_time, Offline) {
  const auto token = ask_join_token(access());
  service::StatusKeeper keeper(office().statuses, office().joins, [](const char*, const Error&) {});
  const std::chrono::sys_seconds expiry{std::chrono::seconds(token->expires_at)};
  store::JoinToken out;
  const std::string hash = hex_encode(sha256(as_bytes(token->token)));
  keeper.tick(expiry + 24h);
  BOOST_TEST((*office().joins.take(hash, expiry + 24h, out) == store::JoinUse::kExpired));
  keeper.tick(expiry + 26h);
  BOOST_TEST((*office().joins.take(hash, expiry + 26h, out) == store::JoinUse::kUnknown));
}

// --- chains that are shown

BOOST_FIXTURE_TEST_CASE(what_was_delegated_offline_ends_by_its_chain, Offline) {
  const Holder service = callers->delegate(callers->root, kUse);
  const Holder below = callers->delegate(service, kUse);
  BOOST_TEST(post("/v1/revocations", R"({"subtree":")" + id_of(service.chain.back()) + R"("})").status ==
             404);
  const std::string target = R"({"chain":")" + join_chain(service.chain) + R"("})";
  BOOST_TEST(member(post("/v1/impact", target), "tokens") == "1");
  const Response suspended = post("/v1/suspensions", target);
  BOOST_TEST(suspended.status == 201, suspended.body);
  BOOST_TEST(member(suspended, "target") == R"({"subtree":")" + id_of(service.chain.back()) + R"("})");
  BOOST_TEST(told(service.chain) == "the token is suspended");
  BOOST_TEST(told(below.chain) == "the token is suspended");
  BOOST_TEST(post("/v1/revocations", target).status == 201);  // also what is suspended
  BOOST_TEST(told(service.chain) == "the token was revoked");
  BOOST_TEST(told(callers->root.chain) == "valid");
}

BOOST_FIXTURE_TEST_CASE(only_chains_of_this_daemons_own_are_taken, Offline) {
  const Holder service = callers->delegate(callers->root, kUse);
  const std::string headless = R"({"chain":")" + service.chain.back() + R"("})";
  for (const std::string& body : {headless, std::string(R"({"chain":"nonsense"})")}) {
    BOOST_TEST(post("/v1/revocations", body).status == 400, body);
    BOOST_TEST(call("POST", "/v1/revocations", body, kSupportUid).status == 403, body);
  }
  BOOST_TEST(post("/v1/revocations", R"({"chain":[]})").status == 400);
  BOOST_TEST(post("/v1/revocations", R"({"chain":"a","agent":"support"})").status == 400);
}

BOOST_FIXTURE_TEST_CASE(a_key_that_is_none_of_ours_ends_with_every_chain_through_it, Offline) {
  const Holder service = callers->delegate(callers->root, kUse);
  const Holder below = callers->delegate(service, kUse);
  const std::string jkt = service.key.public_key().thumbprint().text();
  BOOST_TEST(post("/v1/revocations", R"({"key":")" + jkt + R"("})").status == 201);
  constexpr const char* kEnded = "the key that holds the token has ended";
  BOOST_TEST(told(service.chain) == kEnded);
  BOOST_TEST(told(below.chain) == kEnded);
  BOOST_REQUIRE(office().issuer.publish(kNow + 24h * 365));  // as at a later start
  BOOST_TEST(told(below.chain) == kEnded);
  BOOST_TEST(told(callers->root.chain) == "valid");
}

// --- who may

BOOST_FIXTURE_TEST_CASE(a_delegate_ends_nothing_that_it_stands_on_in_any_way, Offline) {
  const Holder middle = callers->delegate(callers->root, kUse);
  const service::CallContext caller = callers->by(callers->delegate(middle, kUse));
  const auto revoke = [&](const char* kind, const std::string& value) {
    return code_of(service::revoke(office(), caller, {{kind, value}, ""}));
  };
  const auto revoke_key = [&](const std::string& jkt) {
    return code_of(service::revoke_key(office(), caller, jkt, {}));
  };
  const std::string middles = middle.key.public_key().thumbprint().text();
  const std::string issuer = office().issuer.newest()->value().stored.public_key.thumbprint().text();
  BOOST_TEST(revoke("key", middles) == "forbidden");
  BOOST_TEST(revoke("key", callers->root.key.public_key().thumbprint().text()) == "forbidden");
  BOOST_TEST(revoke("key", issuer) == "forbidden");
  BOOST_TEST(revoke("principal", "operator:admin") == "forbidden");
  BOOST_TEST(revoke("chain", join_chain(middle.chain)) == "forbidden");
  BOOST_TEST(revoke("subtree", id_of(callers->root.chain.back())) == "forbidden");
  BOOST_TEST(revoke_key(middles) == "forbidden");
  BOOST_TEST(revoke_key(issuer) == "forbidden");
  BOOST_TEST(told(middle.chain) == "valid");
  BOOST_TEST(revoke("principal", "user:bob") == "");
  BOOST_TEST(revoke_key(jkt_of("lookup")) == "");
}

BOOST_FIXTURE_TEST_CASE(a_joined_process_does_not_end_its_agent, Offline) {
  const service::CallContext process = callers->by(joined());
  BOOST_TEST(code_of(service::retire_agent(office(), process, "support")) == "forbidden");
  BOOST_TEST(code_of(service::revoke_key(office(), process, jkt_of("support"), {})) == "forbidden");
  BOOST_TEST(code_of(service::revoke(office(), process, {{"agent", "support"}, ""})) == "forbidden");
  BOOST_TEST(code_of(service::retire_agent(office(), process, "lookup")) == "");
}

BOOST_FIXTURE_TEST_CASE(a_rotation_ends_no_key_that_the_caller_stands_on, Offline) {
  const service::CallContext process = callers->by(joined());
  const auto rotate = [&](const char* agent) {
    return code_of(service::rotate_agent(office(), process, agent, {0s, {}, {}}));
  };
  BOOST_TEST(rotate("support") == "forbidden");
  BOOST_TEST(rotate("lookup") == "");
  const api::ReenrollAgent with_revocation{{}, {}, true};
  BOOST_TEST(code_of(service::reenroll_agent(office(), process, "support", with_revocation)) == "forbidden");
  BOOST_TEST(code_of(service::reenroll_agent(office(), process, "support", {})) == "conflict");  // not lost

  const std::chrono::seconds usual = office().issuer.options().overlap;
  const auto rotate_issuer = [&](std::chrono::seconds overlap) {
    return code_of(service::rotate_issuer(office(), process, {overlap, {}, {}}));
  };
  BOOST_TEST(rotate_issuer(usual - 1s) == "forbidden");
  BOOST_TEST(rotate_issuer(usual) == "");
}

// --- the daemon's own doors

BOOST_FIXTURE_TEST_CASE(a_drill_sees_who_is_turned_away_at_the_door, Offline) {
  const Holder process = joined();
  const Response started = post("/v1/drills", R"({"agent":"support","window_s":60})");
  BOOST_REQUIRE_MESSAGE(started.status == 201, started.body);
  const std::vector<std::string_view> chain(process.chain.begin(), process.chain.end());
  BOOST_TEST(code_of(service::require_own_chain(office(), chain, kNow)) == "chain_refused");
  service::StatusKeeper(office().statuses, office().joins, [](const char*, const Error&) {}).tick(kNow);
  const auto denied = office().statuses.book.denied(1);
  BOOST_REQUIRE(denied);
  BOOST_REQUIRE(denied->size() == 1u);
  BOOST_TEST(denied->front().leaf == id_of(process.chain.back()));
}

BOOST_FIXTURE_TEST_CASE(a_process_joins_for_authority_over_the_daemon_alone, Offline) {
  const Response granted = post(
      "/v1/grants",
      R"({"principal":"user:alice","agent":"support","audience":"https://issuer.example","scopes":["crm.read"],)"
      R"("depth":2,"lifetime_s":600})");
  BOOST_TEST(code_of(ask_join_token(ChainCallers::texts(chain_of(granted)))) == "forbidden");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
