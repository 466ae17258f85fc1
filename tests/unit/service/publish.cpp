// What the daemon says of itself: its trust anchors, its metadata, whether it is ready.

#include <boost/test/data/test_case.hpp>
#include <sqlite3.h>

#include "tests/unit/service/office_fixture.hpp"

namespace chancery::tests {
namespace {

using rest::Response;

constexpr const char* kGrant =
    R"({"principal":"u","agent":"support","audience":"a","scopes":["crm.read"],"lifetime_s":60})";

// Changes the database behind the daemon's back, as a failing disk or a clumsy hand would.
void damage(const std::filesystem::path& database, const char* statement) {
  sqlite3* connection = nullptr;
  BOOST_REQUIRE(sqlite3_open(database.c_str(), &connection) == SQLITE_OK);
  BOOST_TEST(sqlite3_exec(connection, statement, nullptr, nullptr, nullptr) == SQLITE_OK,
             sqlite3_errmsg(connection));
  sqlite3_close(connection);
}

/// A store with an issuer key in one backend, and two backends to choose from.
struct TwoBackends : OfficeFixture {
  service::Backends backends;
  service::TrustPublisher trust{"https://issuer.example", TrustConfig{}};
  TwoBackends() {
    backends.add("old", std::make_unique<simulators::MemoryBackend>());
    backends.add("new", std::make_unique<simulators::MemoryBackend>());
  }
  service::IssuerKeys keys_of(const std::string& backend) { return {store(), backends, trust, backend}; }
  static hsm::Deadline soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(10); }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(the_issuer_key_is_the_configured_backends, TwoBackends) {
  const auto first = keys_of("old").current(kNow, soon());
  BOOST_REQUIRE(first);
  const auto second = keys_of("new").current(kNow, soon());
  BOOST_REQUIRE(second);
  BOOST_TEST(first->backend == "old");
  BOOST_TEST(second->backend == "new");
  // Back again, the key that was made there signs on, although a newer one exists elsewhere.
  const auto again = keys_of("old").current(kNow, soon());
  BOOST_REQUIRE(again);
  BOOST_TEST((again->key.public_key == first->key.public_key));
  BOOST_TEST(keys_of("old").all()->size() == 2u);
  BOOST_TEST(keys_of("old").sign(*again, as_bytes("x"), soon()).has_value());
}

BOOST_FIXTURE_TEST_CASE(a_daemon_without_its_backends_issuer_key_is_not_ready, OfficeFixture) {
  const Response readiness = call("GET", "/readyz", "", std::nullopt);
  BOOST_TEST(readiness.status == 503);
  BOOST_TEST(readiness.body.find("issuer key") != std::string::npos, readiness.body);
  create_agent("support", kSupportUid);
  BOOST_REQUIRE(call("POST", "/v1/grants", kGrant, kOperatorUid).status == 201);
  set_now(kNow + std::chrono::seconds(5));
  BOOST_TEST(call("GET", "/readyz", "", std::nullopt).status == 200);
}

BOOST_FIXTURE_TEST_CASE(issuer_keys_that_cannot_be_read_are_missing, OfficeFixture) {
  create_agent("support", kSupportUid);
  BOOST_REQUIRE(call("POST", "/v1/grants", kGrant, kOperatorUid).status == 201);
  damage(database(), "UPDATE daemon_keys SET jwk = '{}'");
  const Response readiness = call("GET", "/readyz", "", std::nullopt);
  BOOST_TEST(readiness.status == 503);
  BOOST_TEST(member(readiness, "ready") == "false");
  BOOST_TEST(readiness.body.find("issuer key: ") != std::string::npos, readiness.body);
  BOOST_TEST(readiness.body.find("store_corrupt") != std::string::npos, readiness.body);
}

}  // namespace chancery::tests
