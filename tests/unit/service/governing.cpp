// Which configuration entries of the audit log say that governs, around a change of it.

#include <string>

#include <boost/test/unit_test.hpp>

#include "daemon/service/audit_start.hpp"
#include "tests/unit/service/enforcement_fixture.hpp"

namespace chancery::tests {
namespace {

struct Governing : EnforcementFixture {
  Governing() {
    log().govern_by("aaaa");
    const service::DaemonStart present{"0.1.0", "bbbb", kNow};
    BOOST_REQUIRE(service::record_change(store(), "aaaa", present));
  }

  [[nodiscard]] store::AuditBook& log() { return *premises().books.audit; }
  [[nodiscard]] std::string last() {
    const auto tail = store().audit_tail(1);
    BOOST_REQUIRE(tail);
    return tail->front().json;
  }
  [[nodiscard]] bool last_says(const std::string& member) { return last().find(member) != std::string::npos; }
  void suspend() {
    BOOST_REQUIRE(call("POST", "/v1/suspensions", R"({"principal":"user:b"})", kOperatorUid).status == 201);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(governing)

// What is decided until then is decided by the former one, and says so.
BOOST_FIXTURE_TEST_CASE(a_change_is_recorded_before_it_governs, Governing) {
  BOOST_TEST(last_says(R"("action":"config.change")"), last());
  BOOST_TEST(last_says(R"("policy":"aaaa")"), last());
  BOOST_TEST(last_says(R"("former":"aaaa","present":"bbbb")"), last());
  suspend();
  BOOST_TEST(last_says(R"("policy":"aaaa")"), last());
  log().govern_by("bbbb");
  suspend();
  BOOST_TEST(last_says(R"("policy":"bbbb")"), last());
}

BOOST_FIXTURE_TEST_CASE(a_start_with_what_a_change_said_is_no_change, Governing) {
  BOOST_REQUIRE(service::record_start(log(), store(), {"0.1.0", "bbbb", kNow}));
  BOOST_TEST(last_says(R"("action":"daemon.start")"), last());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
