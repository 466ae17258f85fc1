// What the daemon says of itself: its trust anchors, its metadata, whether it is ready.

#include <algorithm>
#include <iterator>
#include <thread>

#include <sqlite3.h>

#include "tests/unit/service/office_fixture.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;
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
  service::KeyLife life{store(), backends};
  std::unique_ptr<service::DaemonKeys> keys_of(const std::string& backend) {
    return std::make_unique<service::DaemonKeys>(store(), life, backends, trust,
                                                 service::DaemonKeyOptions{store::kIssuer, backend, 8h, 32h});
  }
  static hsm::Deadline soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(10); }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(the_issuer_key_is_the_configured_backends, TwoBackends) {
  const auto first = keys_of("old")->current(kNow, soon());
  BOOST_REQUIRE(first);
  const auto second = keys_of("new")->current(kNow, soon());
  BOOST_REQUIRE(second);
  BOOST_TEST(first->backend == "old");
  BOOST_TEST(second->backend == "new");
  // What the first one signed counts on for a while.
  BOOST_TEST((store().key(first->stored.public_key.thumbprint())->state == store::KeyState::kRotating));
  BOOST_TEST(trust.keys(store::kIssuer).size() == 2u);
  // Back again, there is a third: a key that was followed never becomes the one that signs.
  const auto again = keys_of("old")->current(kNow, soon());
  BOOST_REQUIRE(again);
  BOOST_TEST((again->stored.public_key != first->stored.public_key));
  BOOST_TEST(trust.keys(store::kIssuer).size() == 3u);
  BOOST_TEST(keys_of("old")->sign(*again, as_bytes("x"), kNow, soon()).has_value());
}

/// A daemon that is ready, or not, and says so.
struct Ready : OfficeFixture {
  Ready() {
    make_own_keys();
    create_agent("support", kSupportUid);
  }
  int readiness_after(std::chrono::seconds time) {
    set_now(kNow + time);
    return call("GET", "/readyz", "", std::nullopt).status;
  }
};

BOOST_FIXTURE_TEST_CASE(a_daemon_without_its_backends_issuer_key_is_not_ready, OfficeFixture) {
  const Response readiness = call("GET", "/readyz", "", std::nullopt);
  BOOST_TEST(readiness.status == 503);
  BOOST_TEST(readiness.body.find("issuer key") != std::string::npos, readiness.body);
  create_agent("support", kSupportUid);
  BOOST_REQUIRE(call("POST", "/v1/grants", kGrant, kOperatorUid).status == 201);
  set_now(kNow + std::chrono::seconds(5));
  const Response half = call("GET", "/readyz", "", std::nullopt);
  BOOST_TEST(half.status == 503);
  BOOST_TEST(half.body.find("issuer key") == std::string::npos, half.body);
  BOOST_TEST(half.body.find("status key: none made yet") != std::string::npos, half.body);
  BOOST_REQUIRE(call("GET", "/v1/status-lists/1", "", std::nullopt).status == 200);
  set_now(kNow + std::chrono::seconds(10));
  BOOST_TEST(call("GET", "/readyz", "", std::nullopt).status == 200);
}

BOOST_FIXTURE_TEST_CASE(a_daemon_whose_key_of_status_lists_has_ended_is_not_ready, Ready) {
  BOOST_TEST(readiness_after(0s) == 200);
  const auto& keys = office().statuses.keys;
  const std::string thumbprint = keys.newest().value()->stored.public_key.thumbprint().text();
  BOOST_REQUIRE(call("POST", "/v1/keys/" + thumbprint + "/revoke", "{}", kOperatorUid).status == 200);
  BOOST_TEST(readiness_after(1s) == 503);
  const Response readiness = call("GET", "/readyz", "", std::nullopt);
  BOOST_TEST(readiness.body.find("status key: revoked") != std::string::npos, readiness.body);
  BOOST_TEST(readiness.body.find("chancery status-key rotate") != std::string::npos, readiness.body);
  BOOST_REQUIRE(call("POST", "/v1/status-keys/rotate", "{}", kOperatorUid).status == 200);
  BOOST_TEST(readiness_after(2s) == 200);
}

BOOST_FIXTURE_TEST_CASE(issuer_keys_that_cannot_be_read_are_missing, OfficeFixture) {
  create_agent("support", kSupportUid);
  BOOST_REQUIRE(call("POST", "/v1/grants", kGrant, kOperatorUid).status == 201);
  damage(database(), "UPDATE keys SET jwk = '{}'");
  const Response readiness = call("GET", "/readyz", "", std::nullopt);
  BOOST_TEST(readiness.status == 503);
  BOOST_TEST(member(readiness, "ready") == "false");
  BOOST_TEST(readiness.body.find("issuer key: ") != std::string::npos, readiness.body);
  BOOST_TEST(readiness.body.find("store_corrupt") != std::string::npos, readiness.body);
}

BOOST_FIXTURE_TEST_CASE(one_look_at_the_devices_serves_for_its_second, Ready) {
  BOOST_TEST(readiness_after(0s) == 200);
  BOOST_TEST(readiness_after(0s) == 200);
  BOOST_TEST(device().checks() == 1u);
  device().fail_with(Error{ErrorCode::kDeviceUnavailable, "away"});
  BOOST_TEST(readiness_after(1s) == 503);
  BOOST_TEST(readiness_after(1s) == 503);
  BOOST_TEST(device().checks() == 2u);
  device().fail_with(std::nullopt);
  BOOST_TEST(readiness_after(2s) == 200);
  // A clock that was set back makes no old answer new.
  BOOST_TEST(readiness_after(-10s) == 200);
  BOOST_TEST(device().checks() == 4u);
}

/// What others are answered while one caller's look at the devices goes on.
struct Meanwhile : Ready {
  std::vector<int> answers_during_look_at(std::chrono::seconds time,
                                          std::vector<std::chrono::seconds> times) {
    std::vector<int> answers;
    device().while_checking([&] {
      device().while_checking({});
      std::thread other([&] {
        std::ranges::transform(times, std::back_inserter(answers),
                               [&](auto at) { return readiness_after(at); });
      });
      other.join();
    });
    BOOST_TEST(readiness_after(time) == 200);
    return answers;
  }
};

BOOST_FIXTURE_TEST_CASE(who_asks_during_a_look_does_not_wait_for_it, Meanwhile) {
  // Nothing is known yet.
  BOOST_TEST((answers_during_look_at(0s, {0s, 5s, 6s}) == std::vector<int>{503, 503, 503}));
  BOOST_TEST(device().checks() == 1u);
  // The answer of second 0 serves up to second 5, and not before it was found.
  BOOST_TEST((answers_during_look_at(1s, {0s, 5s, 6s, -1s}) == std::vector<int>{200, 200, 503, 503}));
  BOOST_TEST(device().checks() == 2u);
}

BOOST_FIXTURE_TEST_CASE(the_key_set_is_answered_without_the_store, Ready) {
  const Response before = call("GET", "/.well-known/jwks.json", "", std::nullopt);
  damage(database(), "UPDATE keys SET jwk = '{}'");
  const Response after = call("GET", "/.well-known/jwks.json", "", std::nullopt);
  BOOST_TEST(after.status == 200);
  BOOST_TEST(after.body == before.body);
  BOOST_TEST(!router().may_block("GET", "/.well-known/jwks.json"));
}

}  // namespace chancery::tests
