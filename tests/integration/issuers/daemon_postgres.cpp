// Database roles for one call from the real daemon, in a real PostgreSQL.

#include <chancery/client.hpp>

#include "tests/integration/issuers/daemon_scene.hpp"
#include "tests/integration/issuers/postgres_scene.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;

bool has(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

PostgresScene& database() {
  static PostgresScene started;
  return started;
}

std::string shop(const std::string& more) {
  const vault::PostgresAddress address = database().by_tls();
  return "[[vault.issuer]]\nname = \"shop\"\ntype = \"postgres_role\"\nhost = \"" + address.host +
         "\"\nport = " + std::to_string(address.port) + "\ndatabase = \"shop\"\nuser = \"issuer\"\nca = \"" +
         address.ca_file + "\"\nsecret = \"shop-issuer\"\ngroups = [\"readers\"]\n" + more;
}

struct Shop : DaemonScene {
  explicit Shop(const std::string& more = "") : DaemonScene(shop(more)) {
    put_secret("shop-issuer", "shop", PostgresScene::kIssuerPassword);
    put_issued("orders-db", "shop");
  }
  static std::string orders_by(const api::Permit& permit) {
    return database().ask(permit.credential->username, value_of(permit), "SELECT id FROM orders");
  }
  static bool is_there(const std::string& role) {
    return has(database().ask("SELECT count(*) FROM pg_roles WHERE rolname = '" + role + "'"), "1");
  }
};

struct ShortLived : Shop {
  ShortLived() : Shop("owner = \"short\"\nlongest_life = \"2s\"\n") {}
};

}  // namespace

BOOST_AUTO_TEST_SUITE(daemon_postgres)

BOOST_FIXTURE_TEST_CASE(a_permit_has_a_role_that_works_until_its_result_is_reported, Shop) {
  const api::Permit permit = permitted("orders-db");
  const std::string role = permit.credential->username;
  BOOST_TEST(has(role, "chancery_list_orders_"), role);
  BOOST_TEST(orders_by(permit).starts_with("7"), orders_by(permit));
  BOOST_TEST(
      has(database().ask(role, value_of(permit), "INSERT INTO orders VALUES (8)"), "permission denied"));
  report(permit);
  BOOST_TEST(eventually([&] { return !is_there(role); }));
  BOOST_TEST(has(orders_by(permit), "psql:"));
  BOOST_TEST(count(value_of(permit)) == 0u);
  BOOST_TEST(!has(database().log(), value_of(permit)));
}

BOOST_FIXTURE_TEST_CASE(a_role_is_good_for_no_longer_than_the_leaf, Shop) {
  const std::vector<std::string> chain = granted(60s);
  const api::Permit permit = permitted("orders-db", 60s);
  BOOST_REQUIRE(permit.credential->expires_at);
  const std::string until = database().ask(
      "SELECT extract(epoch FROM rolvaliduntil)::bigint FROM pg_roles WHERE "
      "rolname = '" +
      permit.credential->username + "'");
  BOOST_TEST(has(until, std::to_string(*permit.credential->expires_at)), until);
  const std::string soon = database().ask(
      "SELECT rolvaliduntil <= now() + interval '60 s' FROM pg_roles WHERE "
      "rolname = '" +
      permit.credential->username + "'");
  BOOST_TEST(has(soon, "t"), soon);
  report(permit);
}

BOOST_FIXTURE_TEST_CASE(a_daemon_that_ends_leaves_no_role_behind, Shop) {
  const std::string role = permitted("orders-db").credential->username;
  BOOST_TEST(is_there(role));
  BOOST_TEST(daemon.stop() == 0);
  BOOST_TEST(!is_there(role));
}

BOOST_FIXTURE_TEST_CASE(what_a_crash_left_behind_is_swept_once_it_has_expired, ShortLived) {
  const std::string role = permitted("orders-db").credential->username;
  daemon.kill();
  BOOST_TEST(is_there(role));
  BOOST_TEST(eventually([&] {
    return has(database().ask("SELECT rolvaliduntil < now() FROM pg_roles WHERE rolname = '" + role + "'"),
               "t");
  }));
  daemon.start();
  BOOST_TEST(eventually([&] { return !is_there(role); }));
}

BOOST_FIXTURE_TEST_CASE(a_database_that_is_away_gives_no_role_and_spends_nothing, Shop) {
  report(permitted("orders-db"));
  database().server().pause();
  const auto failed = ask("orders-db");
  database().server().resume();
  BOOST_REQUIRE(!failed);
  BOOST_TEST(count(R"("action":"reservation.release")") == 1u);
  BOOST_TEST(has(issuers().output, "failing"), issuers().output);
  report(permitted("orders-db"));
  BOOST_TEST(has(issuers().output, "ready"), issuers().output);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
