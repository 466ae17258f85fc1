// What `chancery status` makes of a daemon's overview.

#include <ostream>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/wire/freeze_messages.hpp"
#include "sdk/wire/overview_messages.hpp"
#include "tests/integration/cli/stage.hpp"

namespace {

using namespace chancery;
using chancery::testing::contains;
using chancery::testing::http_answer;
using chancery::testing::kJson;
using chancery::testing::Run;
using chancery::testing::Stage;

constexpr std::int64_t kNow = 1'800'000'000;

/// A daemon that is ready, with this audit log.
struct Overseen : Stage {
  Overseen() {
    answer("GET /readyz", http_answer(200, kJson, R"({"missing":[],"ready":true})"));
    answer("GET /.well-known/oauth-authorization-server",
           http_answer(200, kJson, R"({"issuer":"https://as.example.net"})"));
    answer("GET /.well-known/jwks.json", http_answer(200, kJson, R"({"keys":[]})"));
  }
  Run status(const api::OverviewAudit& audit, std::vector<std::string> more = {}) {
    api::Overview overview;
    overview.version = "1";
    overview.started_at = kNow - 60;
    overview.now = kNow;
    overview.ready = true;
    overview.budgets = "open";
    overview.audit = audit;
    answer("GET /v1/overview", http_answer(200, kJson, wire::write(overview)));
    more.insert(more.begin(), "status");
    return run(std::move(more));
  }
};

struct Row {
  const char* name;
  api::OverviewAudit audit;
  const char* line;
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }

const std::vector<Row> kRows{
    {"nothing yet", {}, "0 entries, none of them signed yet"},
    {"all signed", {12, 0, false, {{12, kNow - 5}}}, "12 entries, signed up to 12 5s ago"},
    {"grown since", {15, 0, false, {{12, kNow - 59}}}, "15 entries, signed up to 12 59s ago"},
    {"behind",
     {90, 0, true, {{12, kNow - 7260}}},
     "90 entries, signed up to 12 2h 1m ago; BEHIND: the last checkpoint could not be made"},
    {"never signed",
     {4, 0, true, {}},
     "4 entries, none of them signed yet; BEHIND: the last checkpoint could not be made"},
    {"failures",
     {12, 3, false, {{12, kNow}}},
     "12 entries, signed up to 12 0s ago; 3 could not be recorded since the start"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(status_command)

BOOST_DATA_TEST_CASE_F(Overseen, it_tells_how_much_of_the_audit_log_is_signed,
                       boost::unit_test::data::make(kRows), row) {
  const Run text = status(row.audit);
  BOOST_TEST(text.exit == 0, text.err);
  BOOST_TEST(contains(text.out, "\n  audit log    " + std::string(row.line) + "\n"), text.out);
}

BOOST_FIXTURE_TEST_CASE(programs_get_the_overview_as_it_came, Overseen) {
  const Run json = status({90, 2, true, {{12, kNow - 7}}}, {"--format", "json"});
  BOOST_TEST(contains(json.out, R"("audit":{"behind":true,"checkpoint":{"signed_at":1799999993,"size":12},)"
                                R"("entries":90,"failures":2})"),
             json.out);
}

BOOST_FIXTURE_TEST_CASE(it_tells_what_is_frozen, Overseen) {
  api::FreezeState freeze;
  freeze.enforcement = api::kBySoftware;
  freeze.other_keys = 3;
  const auto tells = [&](const std::string& line) {
    answer("GET /v1/freeze", http_answer(200, kJson, wire::write(freeze)));
    const Run text = status({});
    BOOST_TEST(contains(text.out, "\n  frozen       " + line + "\n"), text.out);
  };
  tells("0 agents by themselves; no kill switch armed, 0 keys hang on one, 3 do not");
  freeze.agents = {"support"};
  freeze.is_armed = true;
  freeze.switched_keys = 2;
  tells("1 agents by themselves; kill switch armed, 2 keys hang on one, 3 do not: chancery freeze show");
  freeze.is_frozen = true;
  freeze.since = kNow;
  tells(
      "ALL AGENTS FROZEN, 1 agents by themselves; kill switch armed, 2 keys hang on one, 3 do not: chancery freeze show");
  BOOST_TEST(contains(status({}, {"--format", "json"}).out, R"("freeze":{"agents":["support"],)"));
}

BOOST_FIXTURE_TEST_CASE(the_key_of_the_webhook_is_listed_and_rotated, Stage) {
  const std::string key =
      R"({"algorithm":"ES256","backend":"tpm","created_at":1800000000,)"
      R"("jkt":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k","jwk":{"kty":"EC"},"owner":"webhook","state":"active"})";
  answer("GET /v1/webhook/keys", http_answer(200, kJson, R"({"keys":[)" + key + "]}"));
  answer("POST /v1/webhook/keys/rotate", http_answer(200, kJson, R"({"key":)" + key + "}"));
  const Run listed = run({"webhook-key", "list"});
  BOOST_TEST(listed.exit == 0, listed.err);
  BOOST_TEST(contains(listed.out, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k\tactive\ttpm"), listed.out);
  const Run rotated = run({"webhook-key", "rotate", "--overlap", "10m"});
  BOOST_TEST(rotated.exit == 0, rotated.err);
  BOOST_TEST(contains(request("POST /v1/webhook/keys/rotate"), R"({"overlap_s":600})"),
             request("POST /v1/webhook/keys/rotate"));
}

BOOST_AUTO_TEST_SUITE_END()
