// Calls that wait for a person: what one agent can take of the room, what is kept of them, and what damage does.

#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "daemon/store/sqlite.hpp"
#include "tests/unit/service/approval_fixture.hpp"

namespace chancery::tests {
namespace {

using std::chrono::minutes;

/// Beside the daemon, in its database.
struct WithDatabase : Approvals {
  void execute(const std::string& sql) {
    auto other = store::Database::open(database());
    BOOST_REQUIRE(other);
    const Status done = other->execute(sql.c_str());
    BOOST_REQUIRE_MESSAGE(done, sql);
  }
  std::int64_t number(const char* sql) {
    auto other = store::Database::open(database());
    BOOST_REQUIRE(other);
    const auto found = other->number(sql);
    BOOST_REQUIRE_MESSAGE(found, sql);
    return *found;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(approval_limits)

BOOST_FIXTURE_TEST_CASE(who_delegates_has_one_bound_for_all_below_it, Approvals) {
  const std::string root = chain;
  for (std::uint32_t i = 0; i < 4; ++i) {
    const std::string name = "worker-" + std::to_string(i);
    agent_uid = 4000 + i;
    create_agent(name, agent_uid);
    const Response made = call(
        "POST", "/v1/delegations",
        R"({"chain":)" + root + R"(,"to":")" + name + R"(","scopes":["payments.refund"],"constraints":[]})",
        kOrchestratorUid);
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
    chain = chain_of(made);
    for (int j = 0; j < 32; ++j) (void)id_of(ask_for("ch_" + std::to_string(j)));
  }
  BOOST_TEST(listed("?state=pending&limit=1000").size() == 128u);
  chain = root;
  agent_uid = kOrchestratorUid;
  const Response refused = ask();
  BOOST_TEST(refused.status == 503, refused.body);
  BOOST_TEST(member(refused, "code") == "overloaded");
  BOOST_TEST(refused.body.find("same first holder") != std::string::npos, refused.body);
  chain = granted("1800", "support");
  agent_uid = kSupportUid;
  BOOST_TEST(id_of(ask()).size() == 32u);  // whoever has its authority from elsewhere is not kept out
}

BOOST_FIXTURE_TEST_CASE(a_document_is_forgotten_when_its_call_ends, WithDatabase) {
  const std::string cancelled = id_of(ask_for("ch_1"));
  const std::string expired = id_of(ask_for("ch_2"));
  const std::string digest = member(show(cancelled), "sha256");
  const Response ended = cancel(cancelled, kOrchestratorUid);
  BOOST_TEST(ended.status == 200, ended.body);
  BOOST_TEST(member(ended, "document").empty());
  tick(kNow + minutes(15));
  for (const std::string& id : {cancelled, expired}) {
    const Response shown = show(id);
    BOOST_TEST(shown.status == 200, shown.body);
    BOOST_TEST(member(shown, "document").empty());
  }
  BOOST_TEST(member(show(cancelled), "sha256") == digest);
  BOOST_TEST(number("SELECT sum(length(document)) FROM parked_calls") == 0);
}

// Between the look at the call that waits and the second entry it is cancelled, in the database itself: what the
// transaction sees then is undone with it, so that it goes on until the daemon gives up.
BOOST_FIXTURE_TEST_CASE(nobody_is_told_that_a_cancelled_call_waits, WithDatabase) {
  const std::string id = id_of(ask());
  execute(
      "CREATE TRIGGER meanwhile AFTER INSERT ON audit WHEN new.entry LIKE '%\"tool.attempt\"%" + id +
      "%' BEGIN UPDATE parked_calls SET state = 'cancelled', ended_at = 1, document = '', amounts = '' WHERE id = '" +
      id + "'; END");
  Ask again;
  again.proof = proof_for(again);
  const Response refused = ask(again);
  BOOST_TEST(refused.status == 503, refused.body);
  BOOST_TEST(entries(R"("repeated":true)").empty());
  execute("DROP TRIGGER meanwhile");
  BOOST_TEST(id_of(ask(again)) == id);  // nothing was kept of it, the use of its proof neither
}

BOOST_FIXTURE_TEST_CASE(a_damaged_document_keeps_nothing_else_from_being_seen_and_ended, WithDatabase) {
  const std::string damaged = id_of(ask_for("ch_1"));
  const std::string other = id_of(ask_for("ch_2"));
  const std::string third = id_of(ask_for("ch_3"));
  execute("UPDATE parked_calls SET document = replace(document, 'ch_1', 'ch_x') WHERE id IN ('" + damaged +
          "', '" + third + "')");
  execute("UPDATE parked_calls SET digest = replace(digest, substr(digest, 1, 8), '00000000') WHERE id = '" +
          third + "'");
  BOOST_TEST(show(damaged).status >= 500);
  BOOST_TEST(listed() == (std::vector<std::string>{damaged, other, third}), boost::test_tools::per_element());
  const Response cancelled = cancel(third);
  BOOST_TEST(cancelled.status == 200, cancelled.body);
  tick(kNow + minutes(15));
  BOOST_TEST(member(show(other), "state") == "expired");
  BOOST_TEST(member(show(damaged), "state") == "expired");
  tick(kNow + minutes(30) + std::chrono::days(7));
  BOOST_TEST(listed().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
