// The keys of a store: their states, what follows what, what is intended, what ends with them. Every
// implementation must pass this, as the rest of the contract.

#include <array>
#include <fstream>
#include <iterator>
#include <set>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/store/sqlite.hpp"
#include "daemon/store/sqlite_store.hpp"
#include "tests/unit/daemon/store_contract.hpp"
#include "tests/unit/daemon/store_records.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::store::testing {
namespace {

using chancery::testing::TemporaryFolder;
using std::chrono::seconds;
using enum KeyState;
namespace data = boost::unit_test::data;

constexpr sys_seconds kLater{seconds(1'700'005'000)};

Thumbprint thumbprint_of(const Key& key) { return key.stored.public_key.thumbprint(); }

KeyIntent destruction_of(const Key& key) {
  return {KeyIntent::Kind::kDestroy, key.backend, key.owner, key.stored.binding.key_id, {}};
}

struct KeyStore {
  Store* operator->() { return store.get(); }

  Agent agent(const std::string& name) {
    const Agent made = fresh_agent(name);
    must(store->add_agent(made, entry("agent.create")));
    return made;
  }
  Key follow(const std::string& owner, sys_seconds overlap_until = kLater) {
    const Key made = fresh_key_of(owner, 1'700'000'100);
    must(store->add_key(made, overlap_until, entry("key.rotate")));
    return made;
  }
  void change(const Key& key, KeyState state, std::string_view reason = "", std::int64_t at = 1000) {
    must(store->change_key(thumbprint_of(key), state, reason, entry("change", at)));
  }
  Key present(const Key& key) { return must(store->key(thumbprint_of(key))); }

  TemporaryFolder folder;
  std::unique_ptr<Store> store = must(open_sqlite_store(folder.path()));
};

// Brings a fresh key to a state, by the ways that there are.
Key key_in(KeyStore& store, KeyState state, const std::string& name) {
  const Agent agent = store.agent(name);
  if (state == kRotating) {
    store.follow(agent.id);
  } else if (state != kActive) {
    store.change(agent.key, state);
  }
  BOOST_TEST_REQUIRE((store.present(agent.key).state == state));
  return agent.key;
}

constexpr std::array kStates{kActive, kRotating, kRetired, kLost, kRevoked};

}  // namespace

BOOST_AUTO_TEST_SUITE(keys_of_a_store)

BOOST_AUTO_TEST_CASE(a_key_goes_the_ways_that_its_life_knows_and_no_others) {
  KeyStore store;
  int count = 0;
  for (const KeyState from : kStates) {
    for (const KeyState to : {kRetired, kLost, kRevoked}) {
      BOOST_TEST_CONTEXT(key_state_name(from) << " to " << key_state_name(to)) {
        const Key key = key_in(store, from, "a" + std::to_string(++count));
        const auto changed = store->change_key(thumbprint_of(key), to, "why", entry("change", 5000));
        BOOST_TEST(changed.has_value() == may_become(from, to));
        if (!changed) {
          BOOST_TEST((refusal(changed) == ErrorCode::kConflict));
          BOOST_TEST((store.present(key).state == from));
          continue;
        }
        const Key present = store.present(key);
        const bool ended = to == kRetired || to == kRevoked;
        BOOST_TEST((present.state == to));
        BOOST_TEST(present.reason == "why");
        BOOST_TEST(present.ended_at.has_value() == ended);
        BOOST_TEST(!present.stored.blob.empty());  // until it is destroyed
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_ways_are_these) {
  const std::set<std::pair<KeyState, KeyState>> ways{
      {kActive, kRotating},  {kActive, kRetired}, {kActive, kLost},      {kActive, kRevoked},
      {kRotating, kRetired}, {kRotating, kLost},  {kRotating, kRevoked}, {kLost, kActive},
      {kLost, kRotating},    {kLost, kRetired},   {kLost, kRevoked},     {kRetired, kRevoked}};
  for (const KeyState from : kStates) {
    for (const KeyState to : kStates) {
      BOOST_TEST(may_become(from, to) == ways.contains({from, to}), key_state_name(from)
                                                                        << " to " << key_state_name(to));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_key_that_follows_is_the_newest_and_the_one_before_rotates) {
  KeyStore store;
  const Agent agent = store.agent("support");
  const Key second = store.follow(agent.id);

  const Agent present = must(store->agent_by_name("support"));
  check_same(present.key, second);
  BOOST_TEST(present.is_rotating);
  Key first = agent.key;
  first.state = kRotating;
  first.overlap_until = kLater;
  check_same(must(store->agent_by_key(thumbprint_of(first))).key, first);
  const std::vector<Key> keys = must(store->keys(agent.id));
  BOOST_TEST_REQUIRE(keys.size() == 2U);
  check_same(keys[0], second);
  check_same(keys[1], first);
  BOOST_TEST((refusal(store->add_key(second, kLater, entry("x"))) == ErrorCode::kConflict));
}

BOOST_AUTO_TEST_CASE(both_keys_of_a_rotation_sign_until_the_first_ends) {
  KeyStore store;
  const Agent agent = store.agent("support");
  const Key second = store.follow(agent.id);
  for (const Key& key : {agent.key, second}) {
    IssuedToken token = fresh_token();
    token.agent_id = agent.id;
    token.holder = thumbprint_of(key);
    must(store->record_token(token, thumbprint_of(key), entry("delegation")));
    must(store->record_use(thumbprint_of(key), entry("proof")));
  }
  store.change(agent.key, kRetired);
  BOOST_TEST((refusal(store->record_use(thumbprint_of(agent.key), entry("x"))) == ErrorCode::kRetired));
  must(store->record_use(thumbprint_of(second), entry("proof")));
  BOOST_TEST(!must(store->agent_by_name("support")).is_rotating);
}

BOOST_AUTO_TEST_CASE(a_key_in_place_of_a_lost_one_leaves_that_lost) {
  KeyStore store;
  const Agent agent = store.agent("support");
  store.change(agent.key, kLost, "key_lost");
  const Key second = store.follow(agent.id);
  BOOST_TEST((store.present(agent.key).state == kLost));
  BOOST_TEST((must(store->agent_by_name("support")).key.state == kActive));
  BOOST_TEST(must(store->counts()).lost_agents == 0U);
}

BOOST_AUTO_TEST_CASE(no_key_follows_those_of_a_retired_agent) {
  KeyStore store;
  const Agent agent = store.agent("support");
  store.follow(agent.id);
  must(store->retire_agent(agent.id, entry("agent.retire")));
  BOOST_TEST((refusal(store->add_key(fresh_key_of(agent.id), kLater, entry("x"))) == ErrorCode::kRetired));
  for (const Key& key : must(store->keys(agent.id))) BOOST_TEST((key.state == kRetired));
  BOOST_TEST(must(store->intents()).size() == 2U);
}

BOOST_AUTO_TEST_CASE(the_daemons_own_keys_follow_each_other_too) {
  KeyStore store;
  const std::string issuer(kIssuer);
  const Key first = store.follow(issuer);
  const Key second = store.follow(issuer);
  const std::vector<Key> keys = must(store->keys(kIssuer));
  BOOST_TEST_REQUIRE(keys.size() == 2U);
  check_same(keys[0], second);
  BOOST_TEST((keys[1].state == kRotating));
  BOOST_TEST(keys[1].stored.binding.agent_id == "daemon");
  check_same(must(store->newest_key(kIssuer, "tpm0")), second);
  BOOST_TEST((refusal(store->newest_key(kIssuer, "tpm1")) == ErrorCode::kNotFound));
  store.change(first, kRetired);
  BOOST_TEST(must(store->keys_in_use(kIssuer)).size() == 1U);
  check_same(must(store->key_by_id("tpm0", second.stored.binding.key_id)), second);
}

// Also of gates that the configuration does not name any more.
BOOST_AUTO_TEST_CASE(keys_behind_gates_are_found_whichever_the_gate) {
  KeyStore store;
  (void)store.follow(std::string(kIssuer));
  (void)store.agent("gate");
  const Key refunds = store.follow("gate/refunds");
  const Key former = store.follow("gate/deploy");
  const Key next = store.follow("gate/deploy");
  const std::vector<Key> keys = must(store->gate_keys_in_use());
  BOOST_TEST_REQUIRE(keys.size() == 3U);
  check_same(keys[0], next);
  BOOST_TEST((thumbprint_of(keys[1]) == thumbprint_of(former)));
  BOOST_TEST((keys[1].state == kRotating));
  check_same(keys[2], refunds);
  store.change(former, kRetired);
  BOOST_TEST(must(store->gate_keys_in_use()).size() == 2U);
}

BOOST_AUTO_TEST_CASE(who_opens_a_gates_key_is_kept_with_it) {
  KeyStore store;
  must(store->seal_with(SecretBytes(Bytes(32, 7))));
  const Thumbprint bob = thumbprint_of(fresh_key_of("x"));
  const Thumbprint carol = thumbprint_of(fresh_key_of("x"));
  const Key before = store.follow("gate/refunds");  // as keys were kept once
  const Key former = fresh_key_of("gate/refunds");
  must(store->add_gate_key(former, {bob}, kLater, entry("gate_key.create")));
  const Key present = fresh_key_of("gate/refunds");
  must(store->add_gate_key(present, {bob, carol}, kLater, entry("gate_key.create")));
  BOOST_TEST((store.present(former).state == kRotating));
  BOOST_TEST((store.present(present).state == kActive));
  BOOST_TEST(must(store->openers_of(thumbprint_of(before))).empty());
  BOOST_TEST((must(store->openers_of(thumbprint_of(former))) == std::vector<Thumbprint>{bob}));
  BOOST_TEST((must(store->openers_of(thumbprint_of(present))) == std::vector<Thumbprint>{bob, carol}));
  BOOST_TEST((refusal(store->add_gate_key(present, {bob}, kLater, entry("x"))) == ErrorCode::kConflict));

  must(must(Database::open(store.folder.path() / "chancery.db"))
           .execute("UPDATE gate_key_approvers SET approvers = substr(approvers, 1, 43)"));
  BOOST_TEST(must(store->openers_of(thumbprint_of(present))).empty());  // and not Bob's alone
  BOOST_TEST(must(store->openers_of(thumbprint_of(former))).size() == 1U);
}

BOOST_AUTO_TEST_CASE(keys_are_overdue_when_their_overlap_is_over_and_aged_when_they_are_old) {
  KeyStore store;
  const Agent agent = store.agent("support");
  const Key second = store.follow(agent.id);
  BOOST_TEST(must(store->overdue_keys(kLater - seconds(1))).empty());
  const std::vector<Key> overdue = must(store->overdue_keys(kLater));
  BOOST_TEST_REQUIRE(overdue.size() == 1U);
  BOOST_TEST((thumbprint_of(overdue[0]) == thumbprint_of(agent.key)));

  BOOST_TEST(must(store->aged_keys(second.created_at - seconds(1), 0)).empty());  // the first is not active
  const std::vector<Key> aged = must(store->aged_keys(second.created_at, 0));
  BOOST_TEST_REQUIRE(aged.size() == 1U);
  check_same(aged[0], second);
  BOOST_TEST(must(store->aged_keys(second.created_at, 1)).empty());
}

BOOST_AUTO_TEST_CASE(a_lost_issuer_key_counts_until_the_overlap_of_its_successor_ends) {
  KeyStore store;
  const std::string issuer(kIssuer);
  const Key first = store.follow(issuer);
  store.change(first, kLost, "key_lost");
  BOOST_TEST(must(store->overdue_keys(kLater)).empty());
  store.follow(issuer, kLater);
  BOOST_TEST((store.present(first).state == kLost));
  BOOST_TEST(must(store->overdue_keys(kLater - seconds(1))).empty());
  const std::vector<Key> overdue = must(store->overdue_keys(kLater));
  BOOST_TEST_REQUIRE(overdue.size() == 1U);
  BOOST_TEST((thumbprint_of(overdue[0]) == thumbprint_of(first)));
  store.change(first, kRetired);
}

BOOST_AUTO_TEST_CASE(what_is_intended_with_a_key_is_struck_out_when_it_is_recorded) {
  KeyStore store;
  const Agent agent = fresh_agent("support");
  const KeyIntent making{KeyIntent::Kind::kMake, "tpm0", agent.id, agent.key.stored.binding.key_id, {}};
  must(store->add_intent(making));
  must(store->add_intent(making));
  BOOST_TEST(must(store->intents()).size() == 1U);
  must(store->add_agent(agent, entry("agent.create")));
  BOOST_TEST(must(store->intents()).empty());

  const Key second = fresh_key_of(agent.id);
  must(store->add_intent(
      {KeyIntent::Kind::kRotate, "tpm0", agent.id, second.stored.binding.key_id, seconds(600)}));
  const std::vector<KeyIntent> noted = must(store->intents());
  BOOST_TEST_REQUIRE(noted.size() == 1U);
  BOOST_TEST((noted[0].kind == KeyIntent::Kind::kRotate));
  BOOST_TEST((noted[0].overlap == seconds(600)));
  BOOST_TEST((refusal(store->add_key(agent.key, kLater, entry("x"))) == ErrorCode::kConflict));
  BOOST_TEST(must(store->intents()).size() == 1U);
  must(store->drop_intent(noted[0]));
  must(store->drop_intent(noted[0]));
  BOOST_TEST(must(store->intents()).empty());
}

BOOST_AUTO_TEST_CASE(a_key_that_has_ended_is_to_be_destroyed_until_it_is) {
  KeyStore store;
  const Agent agent = store.agent("support");
  store.change(agent.key, kRevoked, "stolen");
  const std::vector<KeyIntent> noted = must(store->intents());
  BOOST_TEST_REQUIRE(noted.size() == 1U);
  BOOST_TEST((noted[0].kind == KeyIntent::Kind::kDestroy));
  BOOST_TEST(noted[0].key_id == agent.key.stored.binding.key_id);
  BOOST_TEST(!store.present(agent.key).destroyed_at);

  must(store->key_destroyed(noted[0], entry("key.destroyed", 7000)));
  BOOST_TEST(must(store->intents()).empty());
  BOOST_TEST((store.present(agent.key).destroyed_at == sys_seconds(seconds(7000))));
  BOOST_TEST(store.present(agent.key).stored.blob.empty());
  BOOST_TEST((refusal(store->key_destroyed(noted[0], entry("x"))) == ErrorCode::kNotFound));
}

BOOST_AUTO_TEST_CASE(a_destroyed_keys_blob_is_nowhere_in_the_state_folder) {
  KeyStore store;
  Agent agent = fresh_agent("support");
  const std::string blob = "blob-" + std::string(300, 'b') + "-of-a-key";
  agent.key.stored.blob.assign(blob.begin(), blob.end());
  must(store->add_agent(agent, entry("agent.create")));
  const auto holds_blob = [&] {
    for (const auto& file : std::filesystem::directory_iterator(store.folder.path())) {
      std::ifstream in(file.path(), std::ios::binary);
      const std::string octets{std::istreambuf_iterator<char>(in), {}};
      if (octets.find(blob) != std::string::npos) return true;
    }
    return false;
  };
  BOOST_TEST(holds_blob());
  store.change(agent.key, kRetired);
  must(store->key_destroyed(destruction_of(agent.key), entry("key.destroyed")));
  BOOST_TEST(!holds_blob());
}

BOOST_AUTO_TEST_CASE(ended_keys_are_remembered_for_a_while_and_revoked_ones_for_ever) {
  KeyStore store;
  const Key retired = key_in(store, kActive, "retired");
  const Key revoked = key_in(store, kActive, "revoked");
  key_in(store, kActive, "active");
  key_in(store, kLost, "lost");
  store.change(retired, kRetired, "", 5000);
  store.change(revoked, kRevoked, "", 5000);
  using Thumbprints = std::vector<Thumbprint>;
  BOOST_TEST(must(store->ended_keys(sys_seconds(seconds(5000)), kLater)).size() == 2U);
  BOOST_TEST(
      (must(store->ended_keys(sys_seconds(seconds(5001)), kLater)) == Thumbprints{thumbprint_of(revoked)}));
}

BOOST_AUTO_TEST_CASE(a_retired_key_is_remembered_as_long_as_it_holds_a_token) {
  KeyStore store;
  const Agent agent = store.agent("support");
  IssuedToken token = fresh_token();
  token.agent_id = agent.id;
  token.holder = thumbprint_of(agent.key);
  token.expires_at = sys_seconds(seconds(9000));
  must(store->record_token(token, thumbprint_of(agent.key), entry("token")));
  store.change(agent.key, kRetired, "", 5000);
  const sys_seconds since{seconds(6000)};
  BOOST_TEST(must(store->ended_keys(since, sys_seconds(seconds(8999)))).size() == 1U);
  BOOST_TEST(must(store->ended_keys(since, sys_seconds(seconds(9000)))).empty());
}

BOOST_AUTO_TEST_CASE(the_keys_of_another_device_are_lost_until_theirs_is_back) {
  KeyStore store;
  const Agent rotated = store.agent("rotated");
  const Key second = store.follow(rotated.id);
  const Agent replaced = store.agent("replaced");
  const Agent gone = store.agent("gone");
  store.change(gone.key, kLost, "key_lost");

  must(store->lose_keys("tpm0", entry("backend.lost")));
  for (const Key& key : {rotated.key, second, replaced.key}) {
    BOOST_TEST((store.present(key).state == kLost));
    BOOST_TEST(store.present(key).reason == "wrong_device");
  }
  BOOST_TEST(store.present(gone.key).reason == "key_lost");
  BOOST_TEST(must(store->counts()).lost_agents == 3U);
  Key elsewhere = fresh_key_of(replaced.id);
  elsewhere.backend = "token";
  must(store->add_key(elsewhere, kLater, entry("key.reenroll")));

  must(store->recover_keys("tpm0", entry("backend.found")));
  BOOST_TEST((store.present(rotated.key).state == kRotating));
  BOOST_TEST((store.present(second).state == kActive));
  BOOST_TEST((store.present(replaced.key).state == kLost));  // another has its place
  BOOST_TEST((store.present(gone.key).state == kLost));
  BOOST_TEST(must(store->counts()).lost_agents == 1U);
}

BOOST_AUTO_TEST_CASE(the_keys_of_a_device_that_was_replaced_are_lost_for_good) {
  KeyStore store;
  const Agent agent = store.agent("support");
  must(store->pin_backend("tpm0", "000baaaa", entry("backend.pin")));
  must(store->lose_keys("tpm0", entry("backend.lost")));
  const Agent later = store.agent("later");
  must(store->replace_backend("tpm0", "000bbbbb", "device_replaced", entry("backend.adopt")));
  BOOST_TEST(must(store->backend_pin("tpm0")) == "000bbbbb");
  for (const Key& key : {agent.key, later.key}) {
    BOOST_TEST((store.present(key).state == kLost));
    BOOST_TEST(store.present(key).reason == "device_replaced");
  }
  BOOST_TEST((refusal(store->recover_keys("tpm0", entry("x"))) == ErrorCode::kNotFound));
}

BOOST_AUTO_TEST_CASE(what_a_key_ends_are_the_tokens_that_it_holds_and_their_descendants) {
  KeyStore store;
  const Agent orchestrator = store.agent("orchestrator");
  const Agent support = store.agent("support");
  const Agent lookup = store.agent("lookup");
  const auto issue = [&](const Agent& holder, const IssuedToken* parent, std::int64_t expires) {
    IssuedToken token = fresh_token();
    token.agent_id = holder.id;
    token.holder = thumbprint_of(holder.key);
    if (parent != nullptr) token.parent_id = parent->id;
    token.expires_at = sys_seconds(seconds(expires));
    must(store->record_token(token, thumbprint_of(holder.key), entry("token")));
    return token;
  };
  const IssuedToken root = issue(orchestrator, nullptr, 5000);
  issue(orchestrator, nullptr, 900);  // expired
  const IssuedToken child = issue(support, &root, 4000);
  issue(support, &root, 900);  // expired
  const IssuedToken grandchild = issue(lookup, &child, 3000);
  issue(orchestrator, &grandchild, 2000);  // back again: held, and no descendant besides
  issue(lookup, nullptr, 9000);            // another's

  const EndedTokens ended =
      must(store->tokens_of({thumbprint_of(orchestrator.key)}, sys_seconds(seconds(1000))));
  BOOST_TEST(ended.held == 2U);
  BOOST_TEST(ended.descendants == 2U);
  BOOST_TEST((ended.until == sys_seconds(seconds(5000))));
  BOOST_TEST(ended.agents == (std::vector<std::string>{"lookup", "support"}));
  const EndedTokens none = must(store->tokens_of({thumbprint_of(fresh_key_of(support.id))}, kLater));
  BOOST_TEST(none.held == 0U);
  BOOST_TEST(!none.until);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::store::testing
