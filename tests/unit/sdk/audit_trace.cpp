#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "sdk/audit/trace.hpp"

using namespace chancery;
using namespace chancery::audit;

namespace {

/// A log of a few lines: who delegates what to whom, and what is done with it.
struct Log {
  void add(const std::string& members) {
    const std::string json = "{\"at\":1," + members + "}";
    auto entry = Entry::parse(++size, json);
    BOOST_REQUIRE_MESSAGE(entry, json);
    index.add(std::make_shared<const Entry>(*std::move(entry)));
  }
  void issue(const std::string& token, const std::string& parent, const std::string& key,
             const std::string& request) {
    const std::string ids = parent.empty() ? "" : "\"parent\":\"" + parent + "\",";
    add("\"action\":\"" + std::string(parent.empty() ? "token.grant" : "token.delegate") +
        "\",\"outcome\":\"done\",\"request_id\":\"" + request + "\",\"ids\":{\"key\":\"" + key + "\"," + ids +
        "\"token\":\"" + token + "\"},\"details\":{\"authority\":{}}");
  }
  void decide(const std::string& decision, const std::string& token,
              const std::string& action = "action.authorize") {
    add("\"action\":\"" + action + "\",\"outcome\":\"permit\",\"request_id\":\"r-" + decision +
        "\",\"ids\":{\"decision\":\"" + decision + "\",\"token\":\"" + token + "\"}");
  }
  Trace walk(std::string_view reference, TraceOptions options = {}) const {
    const auto found = trace(
        reference, [&](std::string_view id) { return Result<std::vector<EntryPtr>>(index.find(id)); },
        options);
    BOOST_REQUIRE(found);
    return *found;
  }
  EntryIndex index;
  std::uint64_t size = 0;
};

// 1 to 3: keys. 4: the grant. 5, 6: the support agent and its helper. 7: another child of the grant. 8 to 10: decisions.
// 11: the settlement of the first. 12: the helper's token is revoked. 13: the helper's key is rotated.
Log story() {
  Log log;
  log.add(R"("action":"agent.create","outcome":"done","ids":{"key":"k-desk"})");
  log.add(R"("action":"agent.create","outcome":"done","ids":{"key":"k-support"})");
  log.add(R"("action":"attestation.result","outcome":"done","ids":{"key":"k-support"})");
  log.issue("t-grant", "", "k-desk", "r1");
  log.issue("t-support", "t-grant", "k-support", "r2");
  log.issue("t-helper", "t-support", "k-helper", "r3");
  log.issue("t-other", "t-grant", "k-other", "r4");
  log.decide("d1", "t-helper");
  log.decide("d2", "t-support");
  log.decide("d3", "t-other");
  log.decide("d1", "t-helper", "reservation.settle");
  log.add(R"("action":"token.revoke","outcome":"done","ids":{"act":"a1","token":"t-helper"})");
  log.add(R"("action":"key.rotate","outcome":"done","ids":{"key":"k-helper"})");
  return log;
}

std::vector<std::uint64_t> numbers(const std::vector<EntryPtr>& entries) {
  std::vector<std::uint64_t> out;
  for (const EntryPtr& entry : entries) out.push_back(entry->sequence());
  return out;
}

using Depths = std::vector<std::pair<std::uint64_t, std::size_t>>;
Depths depths(const Trace& trace) {
  Depths out;
  for (const Consequence& consequence : trace.consequences)
    out.emplace_back(consequence.entry->sequence(), consequence.depth);
  return out;
}

using Numbers = std::vector<std::uint64_t>;

}  // namespace

BOOST_AUTO_TEST_SUITE(traces)

BOOST_AUTO_TEST_CASE(a_decision_leads_back_to_the_grant_and_on_to_its_end) {
  const Trace found = story().walk("d1");
  BOOST_TEST((numbers(found.subject) == Numbers{8, 11}));
  BOOST_TEST((numbers(found.origin) == Numbers{4, 5, 6}));
  BOOST_TEST((numbers(found.keys) == Numbers{1, 2, 3, 13}));
  BOOST_TEST(found.consequences.empty());
  BOOST_TEST(found.missing.empty());
}

BOOST_AUTO_TEST_CASE(a_token_leads_on_to_everything_below_it_and_to_nothing_beside_it) {
  const Trace found = story().walk("t-support");
  BOOST_TEST((numbers(found.subject) == Numbers{5}));
  BOOST_TEST((numbers(found.origin) == Numbers{4, 5}));
  BOOST_TEST((depths(found) == Depths{{9, 0}, {6, 1}, {8, 1}, {11, 1}, {12, 1}}));
}

BOOST_AUTO_TEST_CASE(a_grant_leads_on_to_all_of_it_child_by_child) {
  const Trace found = story().walk("t-grant");
  BOOST_TEST((depths(found) == Depths{{5, 1}, {9, 1}, {6, 2}, {8, 2}, {11, 2}, {12, 2}, {7, 1}, {10, 1}}));
}

BOOST_AUTO_TEST_CASE(a_request_leads_to_what_it_did) {
  const Trace found = story().walk("r3");
  BOOST_TEST((numbers(found.subject) == Numbers{6}));
  BOOST_TEST((numbers(found.origin) == Numbers{4, 5, 6}));
  BOOST_TEST((depths(found) == Depths{{8, 0}, {11, 0}, {12, 0}}));
}

BOOST_AUTO_TEST_CASE(what_nobody_names_has_no_subject) {
  const Trace found = story().walk("nothing");
  BOOST_TEST(found.subject.empty());
  BOOST_TEST(found.origin.empty());
}

BOOST_AUTO_TEST_CASE(a_token_from_elsewhere_is_named_where_the_way_back_ends) {
  Log log;
  log.issue("t-here", "t-elsewhere", "k", "r");
  const Trace found = log.walk("t-here");
  BOOST_TEST((numbers(found.origin) == Numbers{1}));
  BOOST_TEST(found.missing == "t-elsewhere");
}

BOOST_AUTO_TEST_CASE(a_log_that_goes_in_circles_is_walked_once) {
  Log log;
  log.issue("t-a", "t-b", "k", "r");
  log.issue("t-b", "t-a", "k", "r");
  const Trace found = log.walk("t-a");
  BOOST_TEST((numbers(found.origin) == Numbers{1, 2}));
  BOOST_TEST(found.consequences.size() <= 1u);
}

BOOST_AUTO_TEST_CASE(a_long_story_is_cut_and_says_so) {
  Log log;
  log.issue("t", "", "k", "r");
  for (int i = 0; i < 20; ++i) log.decide("d" + std::to_string(i), "t");
  const Trace whole = log.walk("t");
  BOOST_TEST(!whole.is_cut);
  BOOST_TEST(whole.consequences.size() == 20u);
  const Trace cut = log.walk("t", {.most = 5});
  BOOST_TEST(cut.is_cut);
  BOOST_TEST(cut.consequences.size() == 4u);
}

BOOST_AUTO_TEST_CASE(what_finding_says_is_passed_on) {
  const auto found = trace("x", [](std::string_view) -> Result<std::vector<EntryPtr>> {
    return Error{ErrorCode::kStoreUnavailable, "away"};
  });
  BOOST_TEST((found.error().code == ErrorCode::kStoreUnavailable));
}

BOOST_AUTO_TEST_SUITE_END()
