// What every book of statuses must do, and what ends tokens in the store.

#include "daemon/store/status_book.hpp"

#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/store/sqlite_status_book.hpp"
#include "daemon/store/sqlite_store.hpp"
#include "tests/unit/daemon/store_records.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::store::testing {
namespace {

namespace data = boost::unit_test::data;
using namespace std::chrono_literals;
using chancery::testing::TemporaryFolder;
using enum ErrorCode;
using TargetKind = StatusTarget::Kind;
using ActKind = StatusAct::Kind;
using Statuses = std::map<std::string, unsigned>;

constexpr sys_seconds kIssued{1'700'000'000s};
constexpr sys_seconds kNow = kIssued + 60s;
constexpr sys_seconds kExpiry = kIssued + 1800s;

AuditEntry at(sys_seconds time) { return entry("status", time.time_since_epoch().count()); }

/// A store and its book; `size` of the lists.
struct Books {
  explicit Books(std::uint64_t size = kStatusListSize) { open(size); }
  void open(std::uint64_t size) {
    book.reset();
    store.reset();
    const auto journal = must(Journal::open(folder.path()));
    store = make_sqlite_store(journal);
    book = make_sqlite_status_book(journal, size);
  }

  Agent add_agent(const std::string& name) {
    const Agent agent = fresh_agent(name);
    must(store->add_agent(agent, entry("agent")));
    return agent;
  }

  /// A token that this key of an agent holds, signed by the same one.
  static IssuedToken token_for(const Agent& agent, const std::string& principal) {
    IssuedToken token = fresh_token();
    token.agent_id = agent.id;
    token.holder = agent.key.stored.public_key.thumbprint();
    token.principal = principal;
    return token;
  }
  Result<std::uint64_t> record(const IssuedToken& token) const {
    return store->record_token(token, token.holder, entry("token"));
  }

  DoneAct add(ActKind kind, const StatusTarget& target, sys_seconds time = kNow) const {
    StatusAct act{.kind = kind, .target = target, .reason = "because", .at = time};
    if (kind == ActKind::kDrill) act.until = time + 60s;
    return must(book->add(act, at(time)));
  }

  [[nodiscard]] Statuses statuses() const {
    Statuses out;
    for (const TokenStatus& token : must(book->ended(kNow))) out[token.id] = token.status;
    return out;
  }

  TemporaryFolder folder;
  std::unique_ptr<Store> store;
  std::unique_ptr<StatusBook> book;
};

/// Two roots and what was delegated from them:
///   alice: root (support) ← middle (lookup) ← leaf (support);  bob: other (lookup)
struct Family : Books {
  Agent support = add_agent("support");
  Agent lookup = add_agent("lookup");
  std::map<std::string, IssuedToken> tokens;

  Family() {
    record_as("root", token_for(support, "user:alice"));
    record_as("middle", token_for(lookup, "user:alice"), "root");
    record_as("leaf", token_for(support, "user:alice"), "middle");
    record_as("other", token_for(lookup, "user:bob"));
    IssuedToken expired = token_for(support, "user:alice");
    expired.expires_at = kNow - 1s;
    record_as("expired", std::move(expired));
  }

  void record_as(const std::string& name, IssuedToken token, const std::string& parent = {}) {
    if (!parent.empty()) token.parent_id = tokens.at(parent).id;
    token.status = must(book->allocate(token.expires_at));
    must(record(token));
    tokens.emplace(name, std::move(token));
  }

  /// A target by what it is called here.
  [[nodiscard]] StatusTarget target(TargetKind kind, const std::string& name) const {
    switch (kind) {
      case TargetKind::kToken:
      case TargetKind::kSubtree:
        return {kind, tokens.at(name).id};
      case TargetKind::kAgent:
        return {kind, (name == "support" ? support : lookup).id};
      case TargetKind::kKey:
        return {kind, (name == "support" ? support : lookup).key.stored.public_key.thumbprint().text()};
      case TargetKind::kPrincipal:
        return {kind, name};
    }
    return {};
  }

  /// Names and statuses of those that are not valid: "leaf 1, root 1".
  [[nodiscard]] std::string told() const {
    const Statuses ended = statuses();
    std::string out;
    for (const auto& [name, token] : tokens) {
      const auto found = ended.find(token.id);
      if (found == ended.end()) continue;
      out += (out.empty() ? "" : ", ") + name + " " + std::to_string(found->second);
    }
    return out;
  }

  /// What the lists say of it.
  [[nodiscard]] unsigned listed(const std::string& name) const {
    const StatusPlace place = tokens.at(name).status.value();
    for (const auto& entry : must(book->list(place.list)).entries) {
      if (entry.index == place.index) return entry.status;
    }
    return 0;
  }
};

struct Cascade {
  const char* title;
  TargetKind kind;
  const char* target;
  const char* ended;  ///< by a revocation
};
std::ostream& operator<<(std::ostream& out, const Cascade& row) { return out << row.title; }

constexpr std::array kCascades{
    Cascade{"one token", TargetKind::kToken, "root", "root 1"},
    Cascade{"a token and what came of it", TargetKind::kSubtree, "root", "leaf 1, middle 1, root 1"},
    Cascade{"what came of a child", TargetKind::kSubtree, "middle", "leaf 1, middle 1"},
    Cascade{"an agent", TargetKind::kAgent, "support", "leaf 1, middle 1, root 1"},
    Cascade{"another agent", TargetKind::kAgent, "lookup", "leaf 1, middle 1, other 1"},
    Cascade{"the holder of a key", TargetKind::kKey, "lookup", "leaf 1, middle 1, other 1"},
    Cascade{"a principal", TargetKind::kPrincipal, "user:alice", "leaf 1, middle 1, root 1"},
    Cascade{"another principal", TargetKind::kPrincipal, "user:bob", "other 1"},
    Cascade{"nobody's principal", TargetKind::kPrincipal, "user:carol", ""},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(status_book)

// --- places

BOOST_AUTO_TEST_CASE(no_two_tokens_have_one_place) {
  Books books;
  constexpr std::size_t kThreads = 64, kEach = 20;
  std::vector<std::vector<StatusPlace>> places(kThreads);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : places) {
      threads.emplace_back([&] {
        for (std::size_t i = 0; i < kEach; ++i) mine.push_back(must(books.book->allocate(kExpiry)));
      });
    }
  }
  books.open(kStatusListSize);
  places.push_back({must(books.book->allocate(kExpiry))});
  std::set<std::pair<std::uint64_t, std::uint64_t>> distinct;
  for (const auto& mine : places) {
    for (const StatusPlace& place : mine) {
      BOOST_TEST(place.index < kStatusListSize);
      distinct.emplace(place.list, place.index);
    }
  }
  BOOST_TEST(distinct.size() == kThreads * kEach + 1);
}

BOOST_AUTO_TEST_CASE(a_list_that_is_half_full_is_followed_by_another) {
  Books books(8);
  std::map<std::uint64_t, std::set<std::uint64_t>> lists;
  for (int i = 0; i < 12; ++i) {
    const StatusPlace place = must(books.book->allocate(kExpiry));
    BOOST_TEST(lists[place.list].insert(place.index).second);
  }
  BOOST_TEST(lists.size() == 3u);
  for (const auto& [name, indexes] : lists) BOOST_TEST(indexes.size() == 4u);
}

BOOST_AUTO_TEST_CASE(places_do_not_tell_the_order_of_issue) {
  Books books;
  std::vector<std::uint64_t> indexes;
  for (int i = 0; i < 32; ++i) indexes.push_back(must(books.book->allocate(kExpiry)).index);
  BOOST_TEST(!std::ranges::is_sorted(indexes));
}

BOOST_AUTO_TEST_CASE(a_place_is_taken_once) {
  Books books;
  const Agent agent = books.add_agent("support");
  IssuedToken first = Books::token_for(agent, "user:alice");
  first.status = must(books.book->allocate(kExpiry));
  must(books.record(first));
  BOOST_TEST((must(books.store->token(first.id)) == first));
  IssuedToken second = Books::token_for(agent, "user:alice");
  second.status = first.status;
  BOOST_TEST((refusal(books.record(second)) == kConflict));
  BOOST_TEST((refusal(books.store->token(second.id)) == kNotFound));
  second.status->index ^= 1;  // nobody allocated it
  BOOST_TEST((refusal(books.record(second)) == kConflict));
}

BOOST_AUTO_TEST_CASE(a_list_is_forgotten_a_day_after_its_last_token) {
  Books books(4);
  const StatusPlace first = must(books.book->allocate(kExpiry));
  must(books.book->allocate(kExpiry + 60s));
  must(books.book->forget_expired(kExpiry + 60s + 24h));
  must(books.book->list(first.list));
  must(books.book->forget_expired(kExpiry + 61s + 24h));
  BOOST_TEST((refusal(books.book->list(first.list)) == kNotFound));
  const StatusPlace next = must(books.book->allocate(kExpiry));
  BOOST_TEST(next.list > first.list);
  // It has room: further tokens may outlive those that it has.
  must(books.book->forget_expired(kExpiry + 365 * 24h));
  must(books.book->list(next.list));
}

// --- acts

BOOST_DATA_TEST_CASE(what_a_revocation_ends, data::make(kCascades), row) {
  Family family;
  const DoneAct done = family.add(ActKind::kRevoke, family.target(row.kind, row.target));
  BOOST_TEST(family.told() == row.ended);
  BOOST_TEST(done.act.tokens == done.tokens.size());
  for (const TokenStatus& token : done.tokens) BOOST_TEST(token.status == 1u);
  for (const char* const name : {"root", "middle", "leaf", "other"}) {
    BOOST_TEST(family.listed(name) == (family.told().find(name) == std::string::npos ? 0u : 1u), name);
  }
  family.open(kStatusListSize);
  BOOST_TEST(family.told() == row.ended);
}

BOOST_DATA_TEST_CASE(a_lift_undoes_its_own_suspension_whole, data::make(kCascades), row) {
  Family family;
  const DoneAct done = family.add(ActKind::kSuspend, family.target(row.kind, row.target));
  std::string suspended = row.ended;
  std::ranges::replace(suspended, '1', '2');
  BOOST_TEST(family.told() == suspended);
  const DoneAct lifted = must(family.book->lift(done.act.id, at(kNow + 5s)));
  BOOST_TEST(family.told() == "");
  BOOST_TEST((lifted.act.lifted_at == kNow + 5s));
  BOOST_TEST(lifted.tokens.size() == done.tokens.size());
  for (const TokenStatus& token : lifted.tokens) BOOST_TEST(token.status == 0u);
}

BOOST_FIXTURE_TEST_CASE(of_two_suspensions_each_is_lifted_for_itself, Family) {
  const DoneAct agent = add(ActKind::kSuspend, target(TargetKind::kAgent, "support"));
  const DoneAct token = add(ActKind::kSuspend, target(TargetKind::kToken, "middle"));
  BOOST_TEST(told() == "leaf 2, middle 2, root 2");
  must(book->lift(agent.act.id, at(kNow)));
  BOOST_TEST(told() == "middle 2");
  must(book->lift(token.act.id, at(kNow)));
  BOOST_TEST(told() == "");
}

BOOST_FIXTURE_TEST_CASE(a_lift_undoes_no_revocation, Family) {
  const DoneAct before = add(ActKind::kSuspend, target(TargetKind::kSubtree, "root"));
  add(ActKind::kRevoke, target(TargetKind::kToken, "middle"));
  const DoneAct after = add(ActKind::kSuspend, target(TargetKind::kSubtree, "middle"));
  BOOST_TEST(told() == "leaf 2, middle 1, root 2");
  must(book->lift(before.act.id, at(kNow)));
  must(book->lift(after.act.id, at(kNow)));
  BOOST_TEST(told() == "middle 1");
}

BOOST_FIXTURE_TEST_CASE(what_cannot_be_lifted_is_refused, Family) {
  const DoneAct revocation = add(ActKind::kRevoke, target(TargetKind::kToken, "root"));
  const DoneAct suspension = add(ActKind::kSuspend, target(TargetKind::kToken, "other"));
  must(book->lift(suspension.act.id, at(kNow)));
  BOOST_TEST((refusal(book->lift(revocation.act.id, at(kNow))) == kConflict));
  BOOST_TEST((refusal(book->lift(suspension.act.id, at(kNow))) == kConflict));
  BOOST_TEST((refusal(book->lift(99, at(kNow))) == kNotFound));
  BOOST_TEST(told() == "root 1");
}

BOOST_FIXTURE_TEST_CASE(statuses_are_counted, Family) {
  BOOST_TEST((must(book->counts(kNow)) == StatusCounts{1, 0, 0}));
  const DoneAct suspension = add(ActKind::kSuspend, target(TargetKind::kPrincipal, "user:alice"));
  BOOST_TEST((must(book->counts(kNow)) == StatusCounts{1, 0, 3}));
  add(ActKind::kRevoke, target(TargetKind::kToken, "leaf"));
  BOOST_TEST((must(book->counts(kNow)) == StatusCounts{1, 1, 2}));
  BOOST_TEST((must(book->counts(kExpiry)) == StatusCounts{1, 1, 2}));
  BOOST_TEST((must(book->counts(kExpiry + 1s)) == StatusCounts{1, 0, 0}));
  must(book->lift(suspension.act.id, at(kNow)));
  BOOST_TEST((must(book->counts(kNow)) == StatusCounts{1, 1, 0}));
}

BOOST_FIXTURE_TEST_CASE(an_act_without_its_audit_entry_did_not_happen, Family) {
  const std::uint64_t entries = must(store->counts()).audit_entries;
  const StatusAct act{.target = target(TargetKind::kAgent, "support"), .reason = {}, .at = kNow};
  BOOST_TEST((refusal(book->add(act, {kNow, ""})) == kInvalidArgument));
  const StatusAct stranger{.target = {TargetKind::kSubtree, fresh_token().id}, .reason = {}, .at = kNow};
  BOOST_TEST((refusal(book->add(stranger, at(kNow))) == kNotFound));
  BOOST_TEST(told() == "");
  BOOST_TEST(must(store->counts()).audit_entries == entries);
  must(book->add(act, at(kNow)));
  BOOST_TEST(must(store->counts()).audit_entries == entries + 1);
}

BOOST_FIXTURE_TEST_CASE(acts_are_found_by_whom_they_concern, Family) {
  const DoneAct agent = add(ActKind::kSuspend, target(TargetKind::kAgent, "support"));
  const DoneAct drill = add(ActKind::kDrill, target(TargetKind::kToken, "other"));
  add(ActKind::kRevoke, target(TargetKind::kToken, "leaf"));
  const auto standing = [&](TargetKind kind, const char* name) {
    return must(book->standing(target(kind, name)));
  };
  BOOST_TEST((standing(TargetKind::kAgent, "support") == std::vector{agent.act}));
  BOOST_TEST((standing(TargetKind::kToken, "middle") == std::vector{agent.act}));
  BOOST_TEST((standing(TargetKind::kSubtree, "other") == std::vector{drill.act}));
  BOOST_TEST(standing(TargetKind::kAgent, "lookup").empty());
  BOOST_TEST((must(book->act(agent.act.id)) == agent.act));
}

BOOST_FIXTURE_TEST_CASE(what_a_target_concerns_is_told_without_ending_it, Family) {
  std::map<std::string, bool> named;
  for (const ConcernedToken& token : must(book->concerned(target(TargetKind::kAgent, "support"), kNow))) {
    named[token.id] = token.is_named;
    BOOST_TEST(token.agent == (token.id == tokens.at("middle").id ? "lookup" : "support"));
  }
  const std::map<std::string, bool> wanted{
      {tokens.at("root").id, true}, {tokens.at("middle").id, false}, {tokens.at("leaf").id, true}};
  BOOST_TEST((named == wanted));
  BOOST_TEST(told() == "");
  // Chains through a token are denied with it.
  BOOST_TEST(must(book->concerned(target(TargetKind::kToken, "middle"), kNow)).size() == 2u);
  BOOST_TEST((refusal(book->concerned({TargetKind::kToken, fresh_token().id}, kNow)) == kNotFound));
}

// --- issuing

struct Standing {
  const char* title;
  TargetKind kind;
  const char* target;
  ErrorCode code;  ///< of a child of `middle` for agent lookup
};
std::ostream& operator<<(std::ostream& out, const Standing& row) { return out << row.title; }

constexpr std::array kStanding{
    Standing{"its agent", TargetKind::kAgent, "lookup", kParentDenied},  // whose token the parent is
    Standing{"its key", TargetKind::kKey, "lookup", kParentDenied},
    Standing{"its principal", TargetKind::kPrincipal, "user:alice", kParentDenied},
    Standing{"its parent", TargetKind::kToken, "middle", kParentDenied},
    Standing{"the subtree", TargetKind::kSubtree, "root", kParentDenied},
};

BOOST_DATA_TEST_CASE(nothing_is_delegated_from_what_is_suspended, data::make(kStanding), row) {
  Family family;
  IssuedToken child = Books::token_for(family.lookup, "user:alice");
  child.parent_id = family.tokens.at("middle").id;
  const DoneAct done = family.add(ActKind::kSuspend, family.target(row.kind, row.target));
  BOOST_TEST((refusal(family.record(child)) == row.code));
  must(family.book->lift(done.act.id, at(kNow)));
  must(family.record(child));
}

constexpr std::array kBarred{
    Standing{"its agent", TargetKind::kAgent, "support", kForbidden},
    Standing{"its key", TargetKind::kKey, "support", kForbidden},
    Standing{"its principal", TargetKind::kPrincipal, "user:alice", kForbidden},
};

BOOST_DATA_TEST_CASE(nothing_is_granted_to_who_is_suspended, data::make(kBarred), row) {
  Family family;
  const IssuedToken grant = Books::token_for(family.support, "user:alice");
  const DoneAct done = family.add(ActKind::kDrill, family.target(row.kind, row.target));
  BOOST_TEST((refusal(family.record(grant)) == row.code));
  must(family.record(Books::token_for(family.lookup, "user:bob")));
  must(family.book->lift(done.act.id, at(kNow)));
  must(family.record(grant));
}

BOOST_FIXTURE_TEST_CASE(after_a_revocation_there_may_be_new_authority, Family) {
  add(ActKind::kRevoke, target(TargetKind::kAgent, "support"));
  IssuedToken child = Books::token_for(lookup, "user:alice");
  child.parent_id = tokens.at("root").id;
  BOOST_TEST((refusal(record(child)) == kParentDenied));
  must(record(Books::token_for(support, "user:alice")));
}

// --- what ends besides

BOOST_FIXTURE_TEST_CASE(a_keys_end_revokes_what_it_holds, Family) {
  must(store->change_key(lookup.key.stored.public_key.thumbprint(), KeyState::kRevoked, "stolen", at(kNow)));
  BOOST_TEST(told() == "leaf 1, middle 1, other 1");
  BOOST_TEST(listed("leaf") == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_lost_key_revokes_nothing, Family) {
  must(store->change_key(lookup.key.stored.public_key.thumbprint(), KeyState::kLost, "key_lost", at(kNow)));
  BOOST_TEST(told() == "");
}

BOOST_FIXTURE_TEST_CASE(an_agents_end_revokes_what_it_holds, Family) {
  must(store->retire_agent(support.id, at(kNow)));
  BOOST_TEST(told() == "leaf 1, middle 1, root 1");
}

// --- drills

BOOST_FIXTURE_TEST_CASE(a_drill_is_due_at_its_end, Family) {
  const DoneAct drill = add(ActKind::kDrill, target(TargetKind::kAgent, "support"));
  BOOST_TEST(told() == "leaf 2, middle 2, root 2");
  BOOST_TEST(must(book->overdue_drills(kNow + 59s)).empty());
  open(kStatusListSize);
  BOOST_TEST((must(book->overdue_drills(kNow + 60s)) == std::vector{drill.act}));
  must(book->lift(drill.act.id, at(kNow + 60s)));
  BOOST_TEST(must(book->overdue_drills(kNow + 1h)).empty());
  BOOST_TEST(told() == "");
}

BOOST_FIXTURE_TEST_CASE(a_drill_remembers_what_it_denied, Family) {
  const std::string root = tokens.at("root").id, leaf = tokens.at("leaf").id, other = tokens.at("other").id;
  const DoneAct drill = add(ActKind::kDrill, target(TargetKind::kToken, "root"));
  const DoneAct suspension = add(ActKind::kSuspend, target(TargetKind::kToken, "other"));
  must(book->add_denied({{root, leaf, 2, kNow, kNow + 1s}, {other, other, 1, kNow, kNow}}));
  must(book->add_denied({{root, leaf, 3, kNow + 2s, kNow + 3s}}));
  const std::vector<DeniedUse> wanted{{"", leaf, 5, kNow, kNow + 3s}};
  BOOST_TEST((must(book->denied(drill.act.id)) == wanted));
  BOOST_TEST(must(book->denied(suspension.act.id)).empty());
  must(book->lift(drill.act.id, at(kNow + 4s)));
  must(book->add_denied({{root, leaf, 1, kNow + 5s, kNow + 5s}}));
  BOOST_TEST((must(book->denied(drill.act.id)) == wanted));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::store::testing
