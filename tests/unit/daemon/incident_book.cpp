// What the store knows of one agent, and how much of it is read.

#include <algorithm>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "daemon/store/migrations.hpp"
#include "daemon/store/sqlite.hpp"
#include "tests/unit/daemon/approval_books.hpp"

namespace chancery::store::testing {

namespace {

/// An agent and a runtime, which is one too, and what they ask for.
struct Trails : ApprovalBooks {
  Trails() {
    must(store->add_agent(support, entry("agent.create")));
    must(store->add_agent(runtime, entry("agent.create")));
  }

  [[nodiscard]] static Thumbprint key_of(const Agent& agent) {
    return agent.key.stored.public_key.thumbprint();
  }

  /// Asked for by that key, in a chain that began with the other one.
  ParkedCall ask(const std::string& name, const Thumbprint& key, const Thumbprint& first) {
    ParkedCall call = call_named(name);
    call.key = key;
    call.first = first;
    call.runtime = runtime.id;
    park(call);
    return call;
  }

  Permit give(const std::string& name, const Thumbprint& key, const std::string& token, sys_seconds at) {
    NewPermit given;
    given.permit = {.id = digest_of(name).substr(0, 32),
                    .decision = "d-" + name,
                    .runtime = runtime.id,
                    .token = token,
                    .key = key,
                    .tool = "refund",
                    .scope = "payments.refund",
                    .credential = "",
                    .arguments = digest_of(name),
                    .given_at = at,
                    .expires_at = at + seconds{60},
                    .leaf_expires_at = kEnd};
    Decision decision = decision_of(call_named(name));
    decision.parked = nullptr;
    decision.id = given.permit.decision;
    decision.permit = &given;
    BOOST_REQUIRE(
        (must(ledger->record(decision, entry("tool.permit"))).outcome == Recording::Outcome::kRecorded));
    return given.permit;
  }

  /// A token of the agent's that its own key holds, or one of its processes.
  IssuedToken issue(const Thumbprint& holder, seconds lifetime) {
    IssuedToken token = fresh_token();
    token.holder = holder;
    token.agent_id = support.id;
    token.issued_at = kNow;
    token.expires_at = kNow + lifetime;
    must(store->record_token(token, key_of(support), entry("token.grant")));
    return token;
  }

  Trail trail_of(const Agent& agent, const TrailBounds& bounds = {}) {
    return must(incidents->trail(agent.id, bounds, kNow));
  }

  const Agent support = fresh_agent("support");
  const Agent runtime = fresh_agent("tools");
};

std::vector<std::string> ids_of(const std::vector<TrailRequest>& requests) {
  std::vector<std::string> out;
  for (const TrailRequest& request : requests) out.push_back(request.call.id);
  return out;
}

std::vector<std::string> ids_of(const std::vector<Permit>& calls) {
  std::vector<std::string> out;
  for (const Permit& call : calls) out.push_back(call.id);
  return out;
}

using Ids = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_SUITE(incident_book)

BOOST_FIXTURE_TEST_CASE(requests_are_told_by_whose_key_and_under_whom_and_through_which_runtime, Trails) {
  const Thumbprint stranger{sha256(as_bytes("stranger"))};
  const ParkedCall own = ask("own", key_of(support), stranger);
  const ParkedCall below = ask("below", stranger, key_of(support));
  const ParkedCall other = ask("other", stranger, stranger);
  const ParkedCall both = ask("both", key_of(support), key_of(support));
  BOOST_TEST(ids_of(trail_of(support).requests) == (Ids{both.id, below.id, own.id}),
             boost::test_tools::per_element());
  BOOST_TEST(ids_of(trail_of(runtime).requests) == (Ids{both.id, other.id, below.id, own.id}),
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(calls_of_a_process_with_a_key_of_its_own_are_its_agents, Trails) {
  const Thumbprint process{sha256(as_bytes("process"))};
  const IssuedToken session = issue(process, seconds{600});
  const Permit own = give("own", key_of(support), std::string(64, 'c'), kNow);
  const Permit of_session = give("session", process, session.id, kNow + seconds{1});
  const Permit other = give("other", Thumbprint{sha256(as_bytes("x"))}, std::string(64, 'd'), kNow);
  BOOST_TEST(ids_of(trail_of(support).calls) == (Ids{of_session.id, own.id}),
             boost::test_tools::per_element());
  BOOST_TEST(trail_of(runtime).calls.size() == 3U);
  BOOST_TEST(trail_of(support).cut.empty());
}

BOOST_FIXTURE_TEST_CASE(beyond_the_bounds_the_newest_stay_and_it_is_said_which_are_not_all, Trails) {
  Ids requests;
  Ids calls;
  for (int i = 0; i < 4; ++i) {
    const std::string name = std::to_string(i);
    requests.push_back(ask("asked " + name, key_of(support), key_of(support)).id);
    calls.push_back(give("given " + name, key_of(support), std::string(64, 'c'), kNow + seconds{i}).id);
  }
  std::ranges::reverse(requests);
  std::ranges::reverse(calls);
  for (const Agent& agent : {support, runtime}) {
    BOOST_TEST_CONTEXT(agent.name) {
      const Trail whole = trail_of(agent, {.tokens = 1, .requests = 4, .calls = 4});
      BOOST_TEST(whole.cut.empty());
      BOOST_TEST(ids_of(whole.calls) == calls, boost::test_tools::per_element());
      const Trail cut = trail_of(agent, {.tokens = 1, .requests = 3, .calls = 2});
      BOOST_TEST(cut.cut == (Ids{"requests", "calls"}), boost::test_tools::per_element());
      BOOST_TEST(ids_of(cut.requests) == Ids(requests.begin(), requests.begin() + 3),
                 boost::test_tools::per_element());
      BOOST_TEST(ids_of(cut.calls) == Ids(calls.begin(), calls.begin() + 2),
                 boost::test_tools::per_element());
    }
  }
}

BOOST_FIXTURE_TEST_CASE(of_too_many_tokens_those_that_live_longest_are_told, Trails) {
  const IssuedToken longest = issue(key_of(support), seconds{900});
  const IssuedToken longer = issue(key_of(support), seconds{600});
  const IssuedToken shortest = issue(key_of(support), seconds{300});
  const Trail cut = trail_of(support, {.tokens = 1, .requests = 1, .calls = 1});
  BOOST_TEST(cut.cut == Ids{"tokens"}, boost::test_tools::per_element());
  const auto has = [&](const IssuedToken& token) {
    return std::ranges::any_of(cut.tokens, [&](const TrailToken& each) { return each.token.id == token.id; });
  };
  BOOST_TEST(has(longest));
  BOOST_TEST(!has(shortest));
  BOOST_TEST(trail_of(support).tokens.size() == 3U);
}

// Rows of before have whose they are from the keys and tokens that are there.
BOOST_AUTO_TEST_CASE(what_was_there_before_is_told_too) {
  constexpr std::size_t kBefore = 22;
  const TemporaryFolder folder;
  auto old = must(Database::open(folder.path() / "chancery.db"));
  must(migrate(old, kBefore));
  const std::string agent(32, 'a');
  const std::string key(43, 'k');
  const std::string token(64, 'b');
  const std::string other(43, 'x');
  const auto permit = [&](char id, const std::string& by, const std::string& under) {
    return "INSERT INTO permits (id, decision, runtime, token, key, tool, scope, credential, arguments, given_at, "
           "expires_at) VALUES ('" +
           std::string(32, id) + "', 'd', 'r', '" + under + "', '" + by + "', 't', 's', '', '" +
           std::string(64, 'e') + "', 1, 2);";
  };
  const std::string rows =
      "INSERT INTO keys (seq, owner, backend, agent_id, key_id, jwk, thumbprint, blob, state, created_at) VALUES "
      "(1, '" +
      agent + "', 'tpm0', '" + agent + "', 'k', '{}', '" + key +
      "', x'', 'active', 1);"
      "INSERT INTO agents (seq, id, name, selectors, key, created_at) VALUES (1, '" +
      agent +
      "', 'support', '{}', 1, 1);"
      "INSERT INTO tokens (id, jti, holder, agent_id, principal, issued_at, expires_at, compact) VALUES ('" +
      token + "', 'j', '" + other + "', '" + agent + "', 'user:a', 1, 2, 'c');" +
      permit('1', key, std::string(64, 'c')) + permit('2', other, token) +
      permit('3', other, std::string(64, 'c')) +
      "INSERT INTO parked_calls (id, document, digest, subject, runtime, token, key, first_key, principal, tool, "
      "state, asked_at, expires_at, kind, gates, requesters, lifetime) VALUES ('" +
      std::string(32, '4') + "', 'x', '" + std::string(64, 'd') + "', '" + std::string(64, 'e') +
      "', 'r', '" + token + "', '" + other + "', '" + key +
      "', 'user:a', 't', 'pending', 1, 2, 'call', '[]', '[]', 0);";
  must(old.execute(rows.c_str()));
  must(migrate(old, migrations().size()));
  const auto count = [&](const std::string& what) {
    return must(old.number(("SELECT count(*) FROM " + what + " = '" + agent + "'").c_str()));
  };
  BOOST_TEST(count("permits WHERE agent_id") == 2);
  BOOST_TEST(count("parked_calls WHERE agent_id") == 1);
  BOOST_TEST(count("parked_calls WHERE first_agent_id") == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::store::testing
