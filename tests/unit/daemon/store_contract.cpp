#include "tests/unit/daemon/store_contract.hpp"

#include <array>
#include <functional>
#include <set>
#include <thread>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/store/sqlite_store.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "tests/unit/daemon/store_records.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::store::testing {
namespace {

using chancery::testing::TemporaryFolder;
using enum ErrorCode;

constexpr std::array kKinds{StoreKind{"sqlite", open_sqlite_store}};
const auto kEveryKind = boost::unit_test::data::make(kKinds);

struct OpenStore {
  explicit OpenStore(const StoreKind& kind) : kind_(kind), store_(must(kind.open(folder_.path()))) {}
  Store* operator->() { return store_.get(); }
  void reopen() {
    store_.reset();
    store_ = must(kind_.open(folder_.path()));
  }

 private:
  StoreKind kind_;
  TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
};

Thumbprint thumbprint_of(const Key& key) { return key.stored.public_key.thumbprint(); }
Thumbprint thumbprint_of(const Agent& agent) { return thumbprint_of(agent.key); }

KeyIntent destruction_of(const Key& key) {
  return {KeyIntent::Kind::kDestroy, key.backend, key.owner, key.stored.binding.key_id, {}};
}

void lose(OpenStore& store, const Agent& agent) {
  must(store->change_key(thumbprint_of(agent), KeyState::kLost, "key_lost", entry("key.lost")));
}

// A key of the daemon's own, to sign with.
Thumbprint issuer_of(OpenStore& store) {
  const Key key = fresh_key_of(std::string(kIssuer));
  must(store->add_key(key, {}, entry("issuer_key.create")));
  return thumbprint_of(key);
}

Agent registered(OpenStore& store, const std::string& name) {
  Agent agent = fresh_agent(name);
  must(store->add_agent(agent, entry("agent.created")));
  return agent;
}

std::vector<std::string> names(const std::vector<Agent>& agents) {
  std::vector<std::string> out;
  for (const Agent& agent : agents) out.push_back(agent.name);
  return out;
}

// Every kind of mutation, with records that would be accepted.
using Mutation = std::function<Result<std::uint64_t>(Store&, const AuditEntry&)>;
struct MutationCase {
  const char* name;
  Mutation run;
};
std::vector<MutationCase> mutations(const Agent& existing) {
  return {
      {"add_agent", [](Store& s, const AuditEntry& a) { return s.add_agent(fresh_agent("another"), a); }},
      {"record_use", [=](Store& s, const AuditEntry& a) { return s.record_use(thumbprint_of(existing), a); }},
      {"record_token",
       [=](Store& s, const AuditEntry& a) {
         return s.record_token(fresh_token(), thumbprint_of(existing), a);
       }},
      {"add_key",
       [](Store& s, const AuditEntry& a) { return s.add_key(fresh_key_of(std::string(kIssuer)), a.at, a); }},
      {"add_gate_key",
       [=](Store& s, const AuditEntry& a) {
         return s.add_gate_key(fresh_key_of("gate/refunds"), {thumbprint_of(existing)}, a.at, a);
       }},
      {"lose_keys", [](Store& s, const AuditEntry& a) { return s.lose_keys("tpm0", a); }},
      {"recover_keys", [](Store& s, const AuditEntry& a) { return s.recover_keys("tpm0", a); }},
      {"change_key",
       [=](Store& s, const AuditEntry& a) {
         return s.change_key(thumbprint_of(existing), KeyState::kRevoked, "stolen", a);
       }},
      {"key_destroyed",
       [=](Store& s, const AuditEntry& a) { return s.key_destroyed(destruction_of(existing.key), a); }},
      {"retire_agent", [=](Store& s, const AuditEntry& a) { return s.retire_agent(existing.id, a); }},
      {"pin_backend", [](Store& s, const AuditEntry& a) { return s.pin_backend("tpm0", "000b1234", a); }},
      {"replace_backend",
       [](Store& s, const AuditEntry& a) {
         return s.replace_backend("tpm0", "000b5678", "device_replaced", a);
       }},
      {"pin_master", [](Store& s, const AuditEntry& a) { return s.pin_master(std::string(64, 'a'), a); }},
      {"seal_former_records",
       [](Store& s, const AuditEntry& a) { return s.seal_former_records(std::string(64, 'b'), a); }},
      {"append_audit", [](Store& s, const AuditEntry& a) { return s.append_audit(a); }},
  };
}

BOOST_DATA_TEST_CASE(an_agent_is_found_by_name_id_and_key, kEveryKind, kind) {
  OpenStore store(kind);
  registered(store, "other");
  const Agent agent = registered(store, "orchestrator");
  check_same(must(store->agent_by_name("orchestrator")), agent);
  check_same(must(store->agent_by_id(agent.id)), agent);
  check_same(must(store->agent_by_key(thumbprint_of(agent))), agent);
}

BOOST_DATA_TEST_CASE(what_is_not_there_is_not_found, kEveryKind, kind) {
  OpenStore store(kind);
  const Agent stranger = fresh_agent("stranger");
  BOOST_TEST((refusal(store->agent_by_name("stranger")) == kNotFound));
  BOOST_TEST((refusal(store->agent_by_id(stranger.id)) == kNotFound));
  BOOST_TEST((refusal(store->agent_by_key(thumbprint_of(stranger))) == kNotFound));
  BOOST_TEST((refusal(store->agents({.after = stranger.id})) == kNotFound));
  BOOST_TEST((refusal(store->backend_pin("tpm0")) == kNotFound));
  BOOST_TEST((refusal(store->master_pin()) == kNotFound));
  BOOST_TEST((refusal(store->token(fresh_token().id)) == kNotFound));
  BOOST_TEST((refusal(store->retire_agent(stranger.id, entry("x"))) == kNotFound));
  BOOST_TEST((refusal(store->key(thumbprint_of(stranger))) == kNotFound));
  BOOST_TEST(
      (refusal(store->change_key(thumbprint_of(stranger), KeyState::kLost, "", entry("x"))) == kNotFound));
  BOOST_TEST((refusal(store->lose_keys("tpm0", entry("x"))) == kNotFound));
  BOOST_TEST((refusal(store->recover_keys("tpm0", entry("x"))) == kNotFound));
  BOOST_TEST((refusal(store->key_destroyed(destruction_of(stranger.key), entry("x"))) == kNotFound));
  BOOST_TEST((refusal(store->replace_backend("tpm0", "000b", "", entry("x"))) == kNotFound));
  BOOST_TEST((refusal(store->add_key(stranger.key, {}, entry("x"))) == kNotFound));
  BOOST_TEST(must(store->intents()).empty());
  BOOST_TEST(must(store->ended_keys({}, {})).empty());
  BOOST_TEST(must(store->agents({})).empty());
  BOOST_TEST(must(store->keys(kIssuer)).empty());
  BOOST_TEST(must(store->audit_tail(10)).empty());
  BOOST_TEST((must(store->counts()) == StoreCounts{}));
}

BOOST_DATA_TEST_CASE(a_name_belongs_to_one_agent_until_it_is_retired, kEveryKind, kind) {
  OpenStore store(kind);
  const Agent first = registered(store, "support");
  BOOST_TEST((refusal(store->add_agent(fresh_agent("support"), entry("x"))) == kConflict));
  lose(store, first);
  BOOST_TEST((refusal(store->add_agent(fresh_agent("support"), entry("x"))) == kConflict));
  must(store->retire_agent(first.id, entry("agent.retired")));
  const Agent second = registered(store, "support");
  BOOST_TEST(must(store->agent_by_name("support")).id == second.id);
  BOOST_TEST(must(store->agent_by_id(first.id)).name == "support");
}

BOOST_DATA_TEST_CASE(identifiers_and_keys_are_never_reused, kEveryKind, kind) {
  OpenStore store(kind);
  const Agent agent = registered(store, "support");
  must(store->retire_agent(agent.id, entry("agent.retired")));

  Agent same_id = fresh_agent("second");
  same_id.id = same_id.key.owner = same_id.key.stored.binding.agent_id = agent.id;
  BOOST_TEST((refusal(store->add_agent(same_id, entry("x"))) == kConflict));

  Agent same_key = fresh_agent("third");
  same_key.key.stored.public_key = agent.key.stored.public_key;
  BOOST_TEST((refusal(store->add_agent(same_key, entry("x"))) == kConflict));

  Agent same_key_id = fresh_agent("fourth");
  same_key_id.key.stored.binding.key_id = agent.key.stored.binding.key_id;
  BOOST_TEST((refusal(store->add_agent(same_key_id, entry("x"))) == kConflict));
}

BOOST_DATA_TEST_CASE(retiring_keeps_the_history, kEveryKind, kind) {
  OpenStore store(kind);
  Agent agent = registered(store, "support");
  must(store->retire_agent(agent.id, entry("agent.retired", 5000)));
  agent.retired_at = agent.key.ended_at = sys_seconds(std::chrono::seconds(5000));
  agent.key.state = KeyState::kRetired;
  check_same(must(store->agent_by_id(agent.id)), agent);
  check_same(must(store->agent_by_key(thumbprint_of(agent))), agent);
  BOOST_TEST((refusal(store->agent_by_name("support")) == kNotFound));
  BOOST_TEST((refusal(store->retire_agent(agent.id, entry("x"))) == kRetired));
}

BOOST_DATA_TEST_CASE(agents_are_listed_by_registration_in_pages, kEveryKind, kind) {
  OpenStore store(kind);
  const Agent c = registered(store, "c");
  const Agent a = registered(store, "a");
  const Agent b = registered(store, "b");
  must(store->retire_agent(a.id, entry("agent.retired")));
  const auto list = [&](const AgentQuery& query) { return names(must(store->agents(query))); };
  BOOST_TEST(list({}) == (std::vector<std::string>{"c", "b"}));
  BOOST_TEST(list({.limit = 1}) == (std::vector<std::string>{"c"}));
  BOOST_TEST(list({.limit = 1, .after = c.id}) == (std::vector<std::string>{"b"}));
  BOOST_TEST(list({.after = a.id}) == (std::vector<std::string>{"b"}));
  BOOST_TEST(list({.after = b.id}).empty());
}

BOOST_DATA_TEST_CASE(pages_hold_one_to_a_thousand_records, kEveryKind, kind) {
  OpenStore store(kind);
  for (const std::size_t limit : {std::size_t{0}, kMaxPage + 1}) {
    BOOST_TEST((refusal(store->agents({.limit = limit})) == kInvalidArgument));
    BOOST_TEST((refusal(store->audit_tail(limit)) == kInvalidArgument));
    BOOST_TEST((refusal(store->audit_after(0, limit)) == kInvalidArgument));
  }
  BOOST_TEST(must(store->agents({.limit = kMaxPage})).empty());
}

BOOST_DATA_TEST_CASE(a_backend_is_pinned_once, kEveryKind, kind) {
  OpenStore store(kind);
  must(store->pin_backend("tpm0", "000baaaa", entry("backend.pinned")));
  BOOST_TEST((refusal(store->pin_backend("tpm0", "000bbbbb", entry("x"))) == kConflict));
  must(store->pin_backend("tpm1", "000bbbbb", entry("backend.pinned")));
  must(store->pin_master(std::string(64, 'a'), entry("master.pinned")));
  BOOST_TEST((refusal(store->pin_master(std::string(64, 'b'), entry("x"))) == kConflict));
  BOOST_TEST(must(store->master_pin()) == std::string(64, 'a'));
  BOOST_TEST(must(store->backend_pin("tpm0")) == "000baaaa");
}

BOOST_DATA_TEST_CASE(a_token_is_kept_as_it_was_issued, kEveryKind, kind) {
  OpenStore store(kind);
  const Agent agent = registered(store, "support");
  IssuedToken root = fresh_token();
  root.agent_id = agent.id;
  root.holder = thumbprint_of(agent);
  IssuedToken child = fresh_token();
  child.parent_id = root.id;
  child.principal = "user:\"o'brien\" <zoë@example.org>; --";
  const Thumbprint issuer = issuer_of(store);
  must(store->record_token(root, issuer, entry("grant")));
  must(store->record_token(child, thumbprint_of(agent), entry("delegation")));
  BOOST_TEST((must(store->token(root.id)) == root));
  BOOST_TEST((must(store->token(child.id)) == child));
}

BOOST_DATA_TEST_CASE(a_token_is_recorded_once_and_for_known_agents, kEveryKind, kind) {
  OpenStore store(kind);
  const Thumbprint issuer = issuer_of(store);
  const IssuedToken token = fresh_token();
  must(store->record_token(token, issuer, entry("grant")));
  BOOST_TEST((refusal(store->record_token(token, issuer, entry("x"))) == kConflict));
  IssuedToken orphan = fresh_token();
  orphan.agent_id = fresh_agent("stranger").id;
  BOOST_TEST((refusal(store->record_token(orphan, issuer, entry("x"))) == kNotFound));
  IssuedToken foreign_parent = fresh_token();
  foreign_parent.parent_id = fresh_token().id;
  must(store->record_token(foreign_parent, issuer, entry("delegation")));
}

// A key may end while the device signs with it: what was signed then is neither recorded nor answered.
BOOST_DATA_TEST_CASE(nothing_is_recorded_for_a_key_that_has_ended, kEveryKind, kind) {
  OpenStore store(kind);
  const Agent active = registered(store, "active");
  const Agent lost = registered(store, "lost");
  lose(store, lost);
  const Agent retired = registered(store, "retired");
  must(store->retire_agent(retired.id, entry("agent.retired")));
  const Agent revoked = registered(store, "revoked");
  must(store->change_key(thumbprint_of(revoked), KeyState::kRevoked, "stolen", entry("key.revoke")));
  const Agent stranger = fresh_agent("stranger");
  const StoreCounts before = must(store->counts());
  const std::pair<Agent, ErrorCode> ended[] = {
      {lost, kKeyLost}, {retired, kRetired}, {revoked, kRetired}, {stranger, kNotFound}};
  for (const auto& [agent, code] : ended) {
    BOOST_TEST_CONTEXT(agent.name) {
      IssuedToken received = fresh_token();
      received.agent_id = agent.id;
      received.holder = thumbprint_of(agent);
      BOOST_TEST((refusal(store->record_token(received, thumbprint_of(active), entry("x"))) == code));
      BOOST_TEST((refusal(store->record_token(fresh_token(), thumbprint_of(agent), entry("x"))) == code));
      BOOST_TEST((refusal(store->record_use(thumbprint_of(agent), entry("x"))) == code));
      BOOST_TEST((must(store->counts()) == before));
    }
  }
  IssuedToken token = fresh_token();
  token.agent_id = active.id;
  token.holder = thumbprint_of(active);
  must(store->record_token(token, thumbprint_of(active), entry("delegation")));
  must(store->record_use(thumbprint_of(active), entry("proof")));
}

BOOST_DATA_TEST_CASE(malformed_identifiers_are_refused, kEveryKind, kind) {
  OpenStore store(kind);
  for (const std::string id :
       {"", "0123", "0123456789ABCDEF0123456789ABCDEF", "0123456789abcdef0123456789abcdefg"}) {
    Agent agent = fresh_agent("support");
    agent.id = agent.key.owner = agent.key.stored.binding.agent_id = id;
    BOOST_TEST((refusal(store->add_agent(agent, entry("x"))) == kInvalidArgument), id);
    IssuedToken token = fresh_token();
    token.id = id;
    BOOST_TEST((refusal(store->record_token(token, {}, entry("x"))) == kInvalidArgument), id);
    token = fresh_token();
    token.parent_id = id;
    BOOST_TEST((refusal(store->record_token(token, {}, entry("x"))) == kInvalidArgument), id);
  }
  Agent other_binding = fresh_agent("support");
  other_binding.key.stored.binding.agent_id = fresh_agent("other").id;
  BOOST_TEST((refusal(store->add_agent(other_binding, entry("x"))) == kInvalidArgument));
  Agent retired = fresh_agent("support");
  retired.key.state = KeyState::kRetired;
  BOOST_TEST((refusal(store->add_agent(retired, entry("x"))) == kInvalidArgument));
}

BOOST_DATA_TEST_CASE(every_mutation_leaves_one_audit_entry, kEveryKind, kind) {
  OpenStore store(kind);
  std::uint64_t sequence = must(store->add_agent(fresh_agent("first"), entry("agent.created")));
  BOOST_TEST(sequence == 1U);
  for (const MutationCase& mutation : mutations(must(store->agent_by_name("first")))) {
    BOOST_TEST_CONTEXT(mutation.name) {
      const AuditEntry audit = entry(mutation.name, 1000 + static_cast<std::int64_t>(sequence));
      BOOST_TEST(must(mutation.run(*store.operator->(), audit)) == ++sequence);
      const std::vector<AuditRecord> last = must(store->audit_tail(1));
      BOOST_TEST_REQUIRE(last.size() == 1U);
      const std::string json = R"({"action":")" + audit.action + R"(","at":)" +
                               std::to_string(audit.at.time_since_epoch().count()) + R"(,"v":1})";
      const AuditRecord want{sequence, audit.at, json};
      BOOST_TEST((last[0] == want));
    }
  }
}

BOOST_DATA_TEST_CASE(nothing_happens_without_an_audit_entry, kEveryKind, kind) {
  OpenStore store(kind);
  const Agent agent = registered(store, "first");
  const StoreCounts before = must(store->counts());
  for (const MutationCase& mutation : mutations(agent)) {
    BOOST_TEST_CONTEXT(mutation.name) {
      BOOST_TEST((refusal(mutation.run(*store.operator->(), AuditEntry{})) == kInvalidArgument));
      BOOST_TEST((must(store->counts()) == before));
    }
  }
  BOOST_TEST((refusal(store->agent_by_name("another")) == kNotFound));
  BOOST_TEST((refusal(store->backend_pin("tpm0")) == kNotFound));
  BOOST_TEST(must(store->keys(kIssuer)).empty());
  check_same(must(store->agent_by_id(agent.id)), agent);
}

BOOST_DATA_TEST_CASE(a_refused_mutation_leaves_no_audit_entry, kEveryKind, kind) {
  OpenStore store(kind);
  const Agent agent = registered(store, "first");
  BOOST_TEST((refusal(store->add_agent(fresh_agent("first"), entry("x"))) == kConflict));
  BOOST_TEST((refusal(store->retire_agent(fresh_agent("y").id, entry("x"))) == kNotFound));
  BOOST_TEST(must(store->audit_tail(10)).size() == 1U);
  BOOST_TEST(must(store->append_audit(entry("next"))) == 2U);
}

BOOST_DATA_TEST_CASE(audit_entries_are_read_from_either_end, kEveryKind, kind) {
  OpenStore store(kind);
  for (int i = 1; i <= 5; ++i) must(store->append_audit(entry("event" + std::to_string(i))));
  const auto sequences = [](const std::vector<AuditRecord>& records) {
    std::vector<std::uint64_t> out;
    for (const AuditRecord& record : records) out.push_back(record.sequence);
    return out;
  };
  using Sequences = std::vector<std::uint64_t>;
  BOOST_TEST(sequences(must(store->audit_tail(2))) == (Sequences{4, 5}));
  BOOST_TEST(sequences(must(store->audit_tail(9))) == (Sequences{1, 2, 3, 4, 5}));
  BOOST_TEST(sequences(must(store->audit_after(0, 2))) == (Sequences{1, 2}));
  BOOST_TEST(sequences(must(store->audit_after(3, 9))) == (Sequences{4, 5}));
  BOOST_TEST(must(store->audit_after(5, 9)).empty());
  BOOST_TEST(must(store->audit_after(UINT64_MAX, 9)).empty());
}

BOOST_DATA_TEST_CASE(counts_tell_what_is_there, kEveryKind, kind) {
  OpenStore store(kind);
  const Agent lost = registered(store, "lost");
  const Agent retired = registered(store, "retired");
  registered(store, "active");
  lose(store, lost);
  must(store->retire_agent(retired.id, entry("agent.retired")));
  const Thumbprint issuer = issuer_of(store);
  must(store->record_token(fresh_token(), issuer, entry("grant")));
  must(store->record_token(fresh_token(), issuer, entry("grant")));
  const StoreCounts want{
      .active_agents = 1, .retired_agents = 1, .lost_agents = 1, .keys = 4, .tokens = 2, .audit_entries = 8};
  BOOST_TEST((must(store->counts()) == want));
}

BOOST_DATA_TEST_CASE(active_agents_keys_are_counted_by_backend, kEveryKind, kind) {
  OpenStore store(kind);
  BOOST_TEST(must(store->agent_keys_by_backend()).empty());
  const std::string backend = registered(store, "active").key.backend;
  registered(store, "another");
  lose(store, registered(store, "lost"));
  must(store->retire_agent(registered(store, "retired").id, entry("agent.retired")));
  Agent elsewhere = fresh_agent("elsewhere");
  elsewhere.key.backend = "hsm";
  must(store->add_agent(elsewhere, entry("agent.added")));
  const std::map<std::string, std::uint64_t> want{{backend, 2}, {"hsm", 1}};
  BOOST_TEST((must(store->agent_keys_by_backend()) == want));
}

BOOST_DATA_TEST_CASE(a_reopened_store_has_everything, kEveryKind, kind) {
  OpenStore store(kind);
  const Agent agent = registered(store, "support");
  const IssuedToken token = fresh_token();
  must(store->record_token(token, thumbprint_of(agent), entry("grant")));
  must(store->pin_backend("tpm0", "000baaaa", entry("backend.pinned")));
  const std::vector<AuditRecord> audit = must(store->audit_tail(10));
  store.reopen();
  check_same(must(store->agent_by_name("support")), agent);
  BOOST_TEST((must(store->token(token.id)) == token));
  BOOST_TEST(must(store->backend_pin("tpm0")) == "000baaaa");
  BOOST_TEST((must(store->audit_tail(10)) == audit));
  BOOST_TEST(must(store->append_audit(entry("next"))) == 4U);
}

BOOST_DATA_TEST_CASE(threads_share_a_store, kEveryKind, kind) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kEach = 25;
  OpenStore store(kind);
  std::array<std::vector<std::uint64_t>, kThreads> sequences;
  std::vector<IssuedToken> tokens;
  for (std::size_t i = 0; i < kThreads * kEach; ++i) tokens.push_back(fresh_token());
  const Thumbprint issuer = issuer_of(store);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = 0; i < kEach; ++i) {
          const IssuedToken& token = tokens[t * kEach + i];
          const auto sequence = store->record_token(token, issuer, entry("grant"));
          if (sequence && store->token(token.id)) sequences[t].push_back(sequence.value());
        }
      });
    }
  }
  std::set<std::uint64_t> distinct;
  for (const auto& list : sequences) distinct.insert(list.begin(), list.end());
  BOOST_TEST(distinct.size() == kThreads * kEach);
  BOOST_TEST(*distinct.rbegin() == 1 + kThreads * kEach);
  BOOST_TEST(must(store->counts()).tokens == kThreads * kEach);
}

BOOST_DATA_TEST_CASE(an_open_store_takes_writes, kEveryKind, kind) {
  OpenStore store(kind);
  BOOST_TEST(store->check().has_value());
  BOOST_TEST(must(store->counts()).audit_entries == 0U);
}

}  // namespace
}  // namespace chancery::store::testing
