// What is written about statuses by whoever holds a token has bounds, and is forgotten in time.

#include <array>
#include <cstdio>

#include <boost/test/unit_test.hpp>

#include "daemon/store/sqlite_status_book.hpp"
#include "daemon/store/sqlite_store.hpp"
#include "tests/unit/daemon/store_records.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::store::testing {
namespace {

using namespace std::chrono_literals;
using chancery::testing::TemporaryFolder;
using TargetKind = StatusTarget::Kind;
using ActKind = StatusAct::Kind;
using enum ErrorCode;

constexpr sys_seconds kNow{1'700'000'060s};

/// A token of an agent, and its book.
struct Upkeep {
  Upkeep() {
    must(store->add_agent(agent, entry("agent")));
    token.agent_id = agent.id;
    token.holder = agent.key.stored.public_key.thumbprint();
    must(store->record_token(token, token.holder, entry("token")));
  }

  StatusAct add(ActKind kind, const StatusTarget& target, sys_seconds time = kNow) {
    StatusAct act{.kind = kind, .target = target, .reason = {}, .at = time};
    if (kind == ActKind::kDrill) act.until = time + 60s;
    return must(book->add(act, at(time))).act;
  }
  static AuditEntry at(sys_seconds time) { return entry("status", time.time_since_epoch().count()); }
  bool is_known(const StatusAct& act) { return book->act(act.id).has_value(); }

  TemporaryFolder folder;
  std::shared_ptr<Journal> journal = must(Journal::open(folder.path()));
  std::unique_ptr<Store> store = make_sqlite_store(journal);
  std::unique_ptr<StatusBook> book = make_sqlite_status_book(journal);
  Agent agent = fresh_agent("support");
  IssuedToken token = fresh_token();
  StatusTarget ours{TargetKind::kToken, token.id};
};

std::string leaf(int number) {
  std::array<char, 65> name{};
  std::snprintf(name.data(), name.size(), "%064d", number);
  return name.data();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(status_upkeep)

BOOST_FIXTURE_TEST_CASE(a_drill_tells_a_thousand_chains_apart_and_counts_the_others, Upkeep) {
  const StatusAct drill = add(ActKind::kDrill, ours);
  std::vector<DeniedUse> uses;
  for (int i = 1; i <= 1500; ++i) uses.push_back({token.id, leaf(i), 1, kNow, kNow});
  must(book->add_denied(uses));
  must(book->add_denied({{token.id, leaf(1), 4, kNow, kNow}, {token.id, leaf(1200), 4, kNow, kNow}}));
  std::uint64_t others = 0;
  std::uint64_t first = 0;
  const auto denied = must(book->denied(drill.id));
  BOOST_TEST(denied.size() == 1001u);
  for (const DeniedUse& use : denied) {
    if (use.leaf == kOtherLeaves) others = use.count;
    if (use.leaf == leaf(1)) first = use.count;
  }
  BOOST_TEST(others == 504u);
  BOOST_TEST(first == 5u);
}

BOOST_FIXTURE_TEST_CASE(a_drills_record_is_kept_for_a_week, Upkeep) {
  const StatusAct drill = add(ActKind::kDrill, ours);
  must(book->add_denied({{token.id, leaf(1), 1, kNow, kNow}}));
  must(book->lift(drill.id, at(kNow)));
  must(book->forget_expired(kNow + 24h * 7));
  BOOST_TEST(must(book->denied(drill.id)).size() == 1u);
  must(book->forget_expired(kNow + 24h * 7 + 1s));
  BOOST_TEST(must(book->denied(drill.id)).empty());
}

BOOST_FIXTURE_TEST_CASE(acts_that_mark_nothing_are_forgotten_unless_they_stand, Upkeep) {
  const StatusTarget nobody{TargetKind::kPrincipal, "user:nobody"};
  const StatusAct standing = add(ActKind::kSuspend, nobody);
  const StatusAct revocation = add(ActKind::kRevoke, nobody);
  const StatusAct lifted = add(ActKind::kSuspend, nobody);
  const StatusAct drill = add(ActKind::kDrill, ours);
  must(book->lift(lifted.id, at(kNow)));
  must(book->lift(drill.id, at(kNow)));
  must(book->forget_expired(kNow + 24h * 100));
  for (const StatusAct& act : {standing, revocation, lifted, drill}) BOOST_TEST(is_known(act), act.id);
  must(book->forget_expired(kNow + 24h * 100 + 1s));
  BOOST_TEST(is_known(standing));
  for (const StatusAct& act : {revocation, lifted, drill}) BOOST_TEST(!is_known(act), act.id);
}

BOOST_FIXTURE_TEST_CASE(what_stands_over_a_target_is_found_among_many, Upkeep) {
  // Straight into the table: more than one answer holds.
  must(journal->write([&] {
    return journal->database().execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500) "
        "INSERT INTO status_acts (kind, target_kind, target, reason, at) "
        "SELECT 'suspend', 'principal', 'user:' || i, '', 0 FROM n");
  }));
  const StatusAct last = add(ActKind::kSuspend, {TargetKind::kAgent, agent.id});
  BOOST_TEST((must(book->standing({TargetKind::kAgent, agent.id})) == std::vector{last}));
  BOOST_TEST((must(book->standing(ours)) == std::vector{last}));
  BOOST_TEST(must(book->standing({TargetKind::kPrincipal, token.id})).empty());
}

// --- tokens that were delegated offline

BOOST_FIXTURE_TEST_CASE(a_token_that_becomes_known_is_marked_as_its_kind, Upkeep) {
  IssuedToken child = fresh_token();
  child.parent_id = token.id;
  child.principal = token.principal;
  IssuedToken stranger = fresh_token();
  BOOST_TEST(must(book->adopt({stranger, child})).empty());
  BOOST_TEST(!store->token(child.id).has_value());  // the root is not ours
  const StatusAct suspension = add(ActKind::kSuspend, {TargetKind::kSubtree, token.id});
  const auto adopted = must(book->adopt({token, child}));
  BOOST_REQUIRE(adopted.size() == 1u);
  BOOST_TEST(adopted[0].id == child.id);
  BOOST_TEST(adopted[0].status == 2u);
  BOOST_TEST(must(book->adopt({token, child})).empty());
  const auto lifted = must(book->lift(suspension.id, at(kNow)));
  BOOST_TEST(lifted.tokens.size() == 2u);
  for (const TokenStatus& status : lifted.tokens) BOOST_TEST(status.status == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_revoked_key_of_somebody_else_is_remembered, Upkeep) {
  const Thumbprint other = fresh_key_of("x").stored.public_key.thumbprint();
  add(ActKind::kSuspend, {TargetKind::kKey, other.text()});
  BOOST_TEST(must(store->ended_keys(kNow, kNow)).empty());
  add(ActKind::kRevoke, {TargetKind::kKey, other.text()});
  add(ActKind::kRevoke, {TargetKind::kKey, token.holder.text()});  // ours: its tokens alone
  BOOST_TEST((must(store->ended_keys(kNow + 24h, kNow + 24h)) == std::vector{other}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::store::testing
