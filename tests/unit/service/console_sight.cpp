// What the console's pages show.

#include <boost/test/unit_test.hpp>

#include "tests/unit/service/console_fixture.hpp"

namespace chancery::tests {
namespace {

std::vector<std::string> names_in(const Response& page, std::string_view list, std::string_view name) {
  BOOST_REQUIRE_MESSAGE(page.status == 200, page.body);
  const auto document = json::Document::parse(page.body);
  std::vector<std::string> out;
  for (const json::Value& item : document->root().find(list)->items()) {
    const json::Value* const value = item.find(name);
    out.emplace_back(value->string().value_or(value->source()));
  }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(console_sight)

// --- agents

BOOST_FIXTURE_TEST_CASE(agents_come_in_the_order_of_their_names_page_by_page, ConsoleFixture) {
  sign_in();
  const Strings all{"lookup", "orchestrator", "other-tools", "support", "tools"};
  Strings found;
  std::string after;
  do {
    const Response part =
        page("GET", "/ui/api/console/agents?limit=2" + (after.empty() ? "" : "&after=" + after));
    for (const std::string& name : names_in(part, "agents", "name")) found.push_back(name);
    after = member(part, "next");
    BOOST_TEST(member(part, "active") == "5");
  } while (!after.empty());
  BOOST_TEST(found == all, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(agents_are_found_by_name_id_and_key, ConsoleFixture) {
  sign_in();
  const auto found = [&](const std::string& search) {
    return names_in(page("GET", "/ui/api/console/agents?search=" + search), "agents", "name");
  };
  BOOST_TEST(found("o") == Strings({"orchestrator", "other-tools"}), boost::test_tools::per_element());
  BOOST_TEST(found("support") == Strings({"support"}), boost::test_tools::per_element());
  BOOST_TEST(found("nobody").empty());
  BOOST_TEST(found("spiffe%3A%2F%2Fexample.org%2Fagent%2Fsupport") == Strings({"support"}),
             boost::test_tools::per_element());
  const std::string key = member(call("GET", "/v1/agents/lookup", "", kOperatorUid), "jkt");
  BOOST_TEST(found(key) == Strings({"lookup"}), boost::test_tools::per_element());
  const Response one = page("GET", "/ui/api/console/agents?limit=1&search=" + key);
  BOOST_TEST(names_in(one, "agents", "name") == Strings({"lookup"}), boost::test_tools::per_element());
  BOOST_TEST(member(one, "next").empty());
  BOOST_TEST(found(key + "&after=lookup").empty());
  BOOST_TEST(found(std::string(43, 'A')).empty());
  BOOST_TEST(page("GET", "/ui/api/console/agents?search=Not%20a%20name").status == 400);
  BOOST_TEST(page("GET", "/ui/api/console/agents?limit=201").status == 400);
  BOOST_TEST(page("GET", "/ui/api/console/agents?limit=0").status == 400);
  BOOST_TEST(page("GET", "/ui/api/console/agents?page=2").status == 400);
  BOOST_REQUIRE(call("DELETE", "/v1/agents/lookup", "", kOperatorUid).status == 200);
  BOOST_TEST(found("lookup").empty());
  BOOST_TEST(found(key).empty());
}

BOOST_FIXTURE_TEST_CASE(an_agent_is_shown_with_what_it_has_spent, ConsoleFixture) {
  const std::string budget = budget_chain();
  BOOST_REQUIRE(ask_refund(budget, kOrchestratorUid, "12.5").status == 200);
  sign_in();
  const Response shown = page("GET", "/ui/api/console/agents/orchestrator");
  BOOST_REQUIRE_MESSAGE(shown.status == 200, shown.body);
  const auto document = json::Document::parse(shown.body);
  bool is_there = false;
  for (const json::Value& item : document->root().find("budgets")->items()) {
    const std::string row = json::to_jcs(item);
    if (of(row, "spent") != "12.5") continue;
    is_there = true;
    BOOST_TEST(of(row, "limit") == "100");
    BOOST_TEST(of(row, "kind") == "subtree");
    BOOST_TEST(of(row, "constraint") == "payments.refund#amount");
  }
  BOOST_TEST(is_there, shown.body);
  BOOST_TEST(member(shown, "tokens") == "2");  // this one, and that of the fixture
  const std::string agent = member(shown, "agent");
  BOOST_TEST(of(agent, "state") == "active");
  BOOST_TEST(of(agent, "last_used_at") == std::to_string(kNow.time_since_epoch().count()));
  BOOST_TEST(page("GET", "/ui/api/console/agents/nobody").status == 404);
}

// --- requests and chains

namespace {

struct DecidingConsole : ConsoleFixture {
  /// Bob's decision is there, whatever he signed it with.
  void deny(const std::string& id) {
    const MadePasskey passkey;
    enrol(passkey, kBob, "Y3JlZA");
    const store::Ballot ballot{id, kBob, passkey.public_key().thumbprint(), false, "", "a.b.c", "", true};
    const auto decided = office().approvals.decide(ballot, kNow, [](const store::ParkedCall&) {
      store::AuditEntry entry;
      entry.at = kNow;
      entry.action = "approval.deny";
      return entry;
    });
    BOOST_REQUIRE_MESSAGE(decided, (decided ? "" : decided.error().what));
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_request_is_shown_with_its_chain_and_the_one_before, DecidingConsole) {
  const std::string before = id_of(ask_for("ch_1"));
  deny(before);
  set_now(kNow + std::chrono::seconds(5));
  const std::string id = id_of(ask_for("ch_2"));
  sign_in();
  const Response shown = page("GET", "/ui/api/console/approvals/" + id);
  BOOST_REQUIRE_MESSAGE(shown.status == 200, shown.body);
  BOOST_TEST(of(member(shown, "approval"), "id") == id);
  const std::string previous = of(member(shown, "approval"), "previous");
  BOOST_TEST(of(previous, "id") == before);
  BOOST_TEST(of(of(of(previous, "document"), "arguments"), "charge") == "ch_1");
  BOOST_TEST(member(shown, "chain") == chain);
  const Response verified =
      page("POST", "/ui/api/chains/verify", R"({"chain":)" + member(shown, "chain") + "}");
  BOOST_TEST(member(verified, "outcome") == "valid");
  BOOST_TEST(page("GET", "/ui/api/console/approvals/none").status == 404);
}

BOOST_FIXTURE_TEST_CASE(a_chain_is_found_by_its_last_token, ConsoleFixture) {
  const std::string root = budget_chain();
  const std::string child = delegated(root, "support", kOrchestratorUid);
  const auto document = json::Document::parse(child);
  const auto leaf = Token::parse(*document->root().items().back().string());
  BOOST_REQUIRE(leaf);
  sign_in();
  const std::string id = hex_encode(leaf->digest());
  BOOST_TEST(member(page("GET", "/ui/api/console/chains/" + id), "chain") == child);
  BOOST_TEST(page("GET", "/ui/api/console/chains/" + std::string(64, '0')).status == 404);
  BOOST_TEST(page("GET", "/ui/api/console/chains/none").status == 400);
}

// --- the audit log

BOOST_FIXTURE_TEST_CASE(the_log_is_read_backwards_page_by_page, ConsoleFixture) {
  sign_in();
  const auto size = office().audit.book.counts().size;
  Strings numbers;
  std::string next;
  do {
    const Response part =
        page("GET", "/ui/api/console/audit?limit=3" + (next.empty() ? "" : "&before=" + next));
    for (const std::string& number : names_in(part, "entries", "number")) numbers.push_back(number);
    next = member(part, "next");
  } while (!next.empty());
  BOOST_REQUIRE(numbers.size() == size);
  for (std::size_t i = 0; i < numbers.size(); ++i) BOOST_TEST(numbers[i] == std::to_string(size - i));
}

BOOST_FIXTURE_TEST_CASE(the_log_is_searched_by_what_entries_name_and_by_action, ConsoleFixture) {
  const std::string id = id_of(ask());
  sign_in();
  const auto found = [&](const std::string& query) {
    const Response part = page("GET", "/ui/api/console/audit?" + query);
    Strings actions;
    const auto document = json::Document::parse(part.body);
    BOOST_REQUIRE_MESSAGE(part.status == 200, part.body);
    for (const json::Value& item : document->root().find("entries")->items())
      actions.emplace_back(*item.find("entry")->find("action")->string());
    return actions;
  };
  BOOST_TEST(found("ref=" + id).back() == "tool.attempt");
  BOOST_TEST(found("action=agent.create").size() == 5u);
  const Strings agents = found("action=agent.");
  BOOST_TEST(agents.size() == 5u);
  BOOST_TEST(found("action=agent").empty());
  BOOST_TEST(found("ref=support&action=agent.create").size() == 1u);
  BOOST_TEST(found("ref=nobody").empty());
  for (const char* query : {"limit=0", "limit=201", "before=x", "after=1"})
    BOOST_TEST(page("GET", std::string("/ui/api/console/audit?") + query).status == 400, query);
}

// However large the log is, one page looks at so much of it and goes on with the next.
BOOST_FIXTURE_TEST_CASE(a_search_for_what_is_rare_ends, ConsoleFixture) {
  store::AuditEntry entry;
  entry.at = kNow;
  entry.action = "test.filler";
  for (int i = 0; i < 2500; ++i) BOOST_REQUIRE(store().append_audit(entry));
  sign_in();
  const Response first_page = page("GET", "/ui/api/console/audit?action=agent.create");
  BOOST_TEST(names_in(first_page, "entries", "number").empty());
  const std::string next = member(first_page, "next");
  BOOST_REQUIRE(!next.empty());
  const Response second = page("GET", "/ui/api/console/audit?action=agent.create&before=" + next);
  BOOST_TEST(names_in(second, "entries", "number").size() == 5u);
  BOOST_TEST(member(second, "next").empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
