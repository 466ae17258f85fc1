// What whoever decides sees of what was decided before, and what lists show of each request.

#include <array>
#include <map>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/service/request_outline.hpp"
#include "tests/unit/service/deciding_fixture.hpp"

namespace chancery::tests {

using std::chrono::seconds;

namespace {

/// Calls that Bob decides, and documents that are kept for an hour.
struct Previous : Deciding {
  Previous() {
    change_policy([&](service::Policy& policy) {
      policy.tool_approvers = {bob.principal};
      policy.decided_kept = seconds(3600);
    });
  }
  /// One that was asked for and decided: its document.
  std::string decided_call(const std::string& charge, bool approves) {
    const std::string id = id_of(ask_for(charge));
    const std::string document = shown(id).document;
    const Response decided = decide(found(id), bob, approves);
    BOOST_REQUIRE_MESSAGE(decided.status == 200, decided.body);
    return document;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(previous_requests)

BOOST_FIXTURE_TEST_CASE(whoever_decides_sees_what_was_decided_before, Previous) {
  set_now(kNow + seconds(9));
  const std::string before = decided_call("ch_1", false);
  const std::string id = id_of(ask_for("ch_2"));
  const api::Approval now = shown(id);
  BOOST_REQUIRE(now.previous);
  BOOST_TEST(now.previous->state == "denied");
  BOOST_TEST(now.previous->id == of(before, "id"));
  BOOST_TEST(now.previous->decided_at == (kNow + seconds(9)).time_since_epoch().count());
  BOOST_TEST(now.previous->document == before);
  BOOST_TEST(now.previous->sha256 == digest_of(before));
  BOOST_TEST(of(of(now.document, "arguments"), "charge") == "ch_2");
  BOOST_REQUIRE(cancel(id).status == 200);
  BOOST_TEST(!shown(id).previous.has_value());  // nothing is decided about it any more
}

BOOST_FIXTURE_TEST_CASE(the_agent_that_asks_is_not_told_what_was_decided_before, Previous) {
  decided_call("ch_1", true);
  const std::string id = id_of(ask_for("ch_2"));
  BOOST_REQUIRE(shown(id).previous.has_value());
  const Response own = show(id, kOrchestratorUid);
  BOOST_REQUIRE_MESSAGE(own.status == 200, own.body);
  BOOST_TEST(!member(own, "document").empty());
  BOOST_TEST(member(own, "previous").empty());
  BOOST_TEST(own.body.find("ch_1") == std::string::npos);
  BOOST_TEST(ask_for("ch_2").body.find("ch_1") == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(nothing_is_kept_unless_the_operator_wants_it, Previous) {
  change_policy([](service::Policy& policy) { policy.decided_kept = seconds(0); });
  decided_call("ch_1", true);
  BOOST_TEST(!shown(id_of(ask_for("ch_2"))).previous.has_value());
}

BOOST_FIXTURE_TEST_CASE(what_was_kept_is_forgotten_when_its_time_is_over_or_it_is_wanted_no_more, Previous) {
  decided_call("ch_1", true);
  const std::string id = id_of(ask_for("ch_2"));
  tick(kNow + seconds(300));
  BOOST_TEST(shown(id).previous.has_value());
  change_policy([](service::Policy& policy) { policy.decided_kept = seconds(299); });
  tick(kNow + seconds(300));
  BOOST_TEST(!shown(id).previous.has_value());
  change_policy([](service::Policy& policy) { policy.decided_kept = seconds(3600); });
  BOOST_REQUIRE(decide(found(id), bob, false).status == 200);
  const std::string next = id_of(ask_for("ch_3"));
  BOOST_TEST(shown(next).previous.has_value());
  change_policy([](service::Policy& policy) { policy.decided_kept = seconds(0); });
  tick(kNow + seconds(301));
  BOOST_TEST(!shown(next).previous.has_value());
}

// --- lists

BOOST_FIXTURE_TEST_CASE(a_list_shows_whose_call_it_is_its_risk_and_its_numbers, Previous) {
  const std::string id = id_of(ask_for("ch_1"));
  const auto listed = [&](const std::string& query) {
    const Response page = call("GET", "/v1/approvals" + query, "", kOperatorUid);
    const auto read = wire::read_approval_page(page.body);
    BOOST_REQUIRE_MESSAGE(read.has_value(), page.body);
    BOOST_REQUIRE(read->approvals.size() == 1u);
    return read->approvals.front();
  };
  const api::Approval waits = listed("?state=pending");
  BOOST_TEST(waits.agent == "spiffe://example.org/agent/orchestrator");
  BOOST_TEST(waits.risk == "high");
  BOOST_TEST((waits.amounts == std::map<std::string, std::string>{{"amount", "1"}}));
  BOOST_TEST(waits.document.empty());
  BOOST_TEST(!waits.previous.has_value());
  BOOST_REQUIRE(cancel(id).status == 200);
  const api::Approval ended = listed("?state=settled&order=newest");
  BOOST_TEST(ended.risk == "high");
  BOOST_TEST(ended.amounts.empty());
}

BOOST_FIXTURE_TEST_CASE(what_is_settled_comes_newest_first_page_by_page, Previous) {
  const std::string first = id_of(ask_for("ch_1"));
  const std::string second = id_of(ask_for("ch_2"));
  const std::string third = id_of(ask_for("ch_3"));
  const std::string waits = id_of(ask_for("ch_4"));
  BOOST_REQUIRE(cancel(first).status == 200);
  BOOST_REQUIRE(decide(found(third), bob).status == 200);
  BOOST_REQUIRE(decide(found(second), bob, false).status == 200);
  BOOST_TEST(listed("?state=settled&order=newest&limit=2") == (Strings{third, second}),
             boost::test_tools::per_element());
  BOOST_TEST(listed("?state=settled&order=newest&limit=2&after=" + second) == (Strings{first}),
             boost::test_tools::per_element());
  BOOST_TEST(listed("?state=settled&order=oldest") == (Strings{first, second, third}),
             boost::test_tools::per_element());
  BOOST_TEST(listed("?order=newest&limit=1") == (Strings{waits}), boost::test_tools::per_element());
  for (const char* query : {"?order=", "?state=", ""}) BOOST_TEST(listed(query).size() == 4u);
  for (const char* query : {"?order=new", "?state=over", "?order=newest&page=1"})
    BOOST_TEST(call("GET", std::string("/v1/approvals") + query, "", kOperatorUid).status == 400, query);
}

namespace {

struct Outlined {
  const char* name;
  const char* document;
  const char* amounts;
};
std::ostream& operator<<(std::ostream& out, const Outlined& row) { return out << row.name; }

const std::array kOutlined{
    Outlined{"a number", R"({"arguments":{"amount":101,"charge":"ch_1"},"debits":{"a":"1"}})",
             R"({"amount":"101"})"},
    Outlined{"a fraction", R"({"arguments":{"amount":0.5}})", R"({"amount":"0.5"})"},
    Outlined{"what would be spent",
             R"({"arguments":{"charge":"7"},"debits":{"payments.refund#amount":"75"}})",
             R"({"payments.refund#amount":"75"})"},
    Outlined{"no text, list or object of the agent's",
             R"({"arguments":{"a":"1","b":[2],"c":{"d":3},"e":true}})", ""},
    Outlined{"a handful", R"({"arguments":{"a":1,"b":2,"c":3,"d":4,"e":5}})",
             R"({"a":"1","b":"2","c":"3","d":"4"})"},
    Outlined{"no name that is none", R"({"arguments":{"":1}})", ""},
    Outlined{"nothing of a grant", R"({"kind":"grant","unsigned_token":"e.e"})", ""},
};

}  // namespace

BOOST_DATA_TEST_CASE(amounts_are_the_numbers_among_the_arguments, boost::unit_test::data::make(kOutlined),
                     row) {
  store::ParkedCall call;
  call.document = row.document;
  BOOST_REQUIRE(service::outline(call));
  BOOST_TEST(call.amounts == row.amounts);
}

BOOST_AUTO_TEST_CASE(a_name_that_is_no_word_for_a_list_is_left_out) {
  store::ParkedCall call;
  for (const std::size_t length : {std::size_t{64}, std::size_t{65}}) {
    call.document = R"({"arguments":{")" + std::string(length, 'n') + R"(":1}})";
    BOOST_REQUIRE(service::outline(call));
    BOOST_TEST(call.amounts.empty() == (length == 65));
  }
  call.amounts = "damaged";
  BOOST_TEST(service::amounts_of(call).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
