// Database roles for one call each, on a PostgreSQL that runs.

#include <array>
#include <thread>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include "tests/integration/issuers/postgres_scene.hpp"

namespace chancery::tests {
namespace {

using std::chrono::seconds;
using vault::IssuedCredential;
using vault::IssuerState;
using vault::PostgresRoleIssuer;

constexpr const char* kRolesOfOurs = "SELECT count(*) FROM pg_roles WHERE starts_with(rolname, 'chancery_')";

PostgresScene& scene() {
  static PostgresScene started;
  return started;
}

MovedClock& time() {
  static MovedClock clock;
  return clock;
}

vault::LifetimeTally& lifetimes() {
  static vault::LifetimeTally tally;
  return tally;
}

vault::PostgresRolesOptions readers() {
  vault::PostgresRolesOptions out;
  out.groups = {"readers"};
  return out;
}

vault::PostgresRolesOptions writers(const std::string& heir = {}) {
  vault::PostgresRolesOptions out;
  out.groups = {"writers"};
  out.heir = heir;
  return out;
}

PostgresRoleIssuer issuer_at(vault::PostgresAddress address,
                             vault::PostgresRolesOptions options = readers()) {
  return {std::move(address), std::move(options), time().clock(), lifetimes()};
}

vault::IssueRequest request(const std::string& tool = "orders", seconds leaf = seconds(300)) {
  vault::IssueRequest out;
  out.tool = tool;
  out.not_after = time().now() + leaf;
  return out;
}

std::string ask_as(const IssuedCredential& role, const std::string& sql) {
  return scene().ask(role.username, text_of(role), sql);
}

bool is_there(const IssuedCredential& role) {
  return scene().ask("SELECT count(*) FROM pg_roles WHERE rolname = '" + role.username + "'") == "1";
}

std::string sessions_of(const IssuedCredential& role) {
  return scene().ask("SELECT count(*) FROM pg_stat_activity WHERE usename = '" + role.username + "'");
}

/// A session of the role that sleeps, begun for sure.
std::unique_ptr<ServerProcess> sleeping(const IssuedCredential& role, const std::string& before = {}) {
  auto session = scene().session(role.username, text_of(role), before + "SELECT pg_sleep(300)");
  const vault::Deadline patience = soon(seconds(30));
  while (sessions_of(role) != "1") {
    BOOST_REQUIRE_MESSAGE(!session->has_ended() && std::chrono::steady_clock::now() < patience,
                          session->output());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return session;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(postgres_roles)

BOOST_AUTO_TEST_CASE(a_role_enters_with_its_password_and_may_do_what_its_groups_may) {
  for (const bool over_tls : {false, true}) {
    auto issuer = issuer_at(over_tls ? scene().by_tls() : scene().by_socket());
    const IssuedCredential role = must(issuer.issue(request(), soon()));
    BOOST_TEST(role.ends_with_call);
    BOOST_TEST(ask_as(role, "SELECT id FROM orders") == "7");
    BOOST_TEST(ask_as(role, "INSERT INTO orders VALUES (8)").find("permission denied") != std::string::npos);
    BOOST_TEST(scene().ask(role.username, "another", "SELECT 1").find("authentication failed") !=
               std::string::npos);
    must(issuer.revoke(role, soon()));
    BOOST_TEST(!is_there(role));
    BOOST_TEST(ask_as(role, "SELECT 1").find("authentication failed") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(a_role_is_good_until_the_leaf_expires_and_no_longer_than_is_configured) {
  auto issuer = issuer_at(scene().by_socket());
  for (const seconds leaf : {seconds(300), seconds(86400)}) {
    const IssuedCredential role = must(issuer.issue(request("orders", leaf), soon()));
    const seconds life = std::min<seconds>(leaf, readers().longest_life);
    BOOST_TEST((role.expires_at == role.issued_at + life));
    const std::string until =
        scene().ask("SELECT extract(epoch FROM rolvaliduntil)::bigint FROM pg_roles WHERE rolname = '" +
                    role.username + "'");
    BOOST_TEST(until == std::to_string(role.expires_at.time_since_epoch().count()));
    const std::string groups = scene().ask(
        "SELECT string_agg(g.rolname, ',') FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles r ON "
        "r.oid = m.member WHERE r.rolname = '" +
        role.username + "'");
    BOOST_TEST(groups == "readers");
    const std::string powers = scene().ask(
        "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls FROM pg_roles WHERE rolname = '" +
        role.username + "'");
    BOOST_TEST(powers == "f");
    must(issuer.revoke(role, soon()));
  }
  BOOST_TEST(error_of(issuer.issue(request("orders", seconds(0)), soon())) == "limit_exceeded");
}

BOOST_AUTO_TEST_CASE(the_server_never_sees_a_password) {
  auto issuer = issuer_at(scene().by_tls());
  const IssuedCredential role = must(issuer.issue(request(), soon()));
  BOOST_TEST(ask_as(role, "SELECT id FROM orders") == "7");
  const std::string log = scene().log();
  BOOST_TEST(log.find("CREATE ROLE \"" + role.username + "\"") != std::string::npos);  // it would be there
  BOOST_TEST(log.find("SCRAM-SHA-256$") != std::string::npos);
  BOOST_TEST(log.find(text_of(role)) == std::string::npos);
  must(issuer.revoke(role, soon()));
}

BOOST_AUTO_TEST_CASE(a_role_goes_with_its_sessions_and_what_it_owns) {
  auto issuer = issuer_at(scene().by_socket(), writers());
  const IssuedCredential role = must(issuer.issue(request(), soon()));
  BOOST_TEST(ask_as(role, "CREATE TABLE of_the_tool (id int); GRANT SELECT ON of_the_tool TO readers")
                 .find("psql") == std::string::npos);
  const auto session = sleeping(role);
  must(issuer.revoke(role, soon()));
  BOOST_TEST(!is_there(role));
  BOOST_TEST(session->wait() != 0);
  BOOST_TEST(session->output().find("terminating connection") != std::string::npos, session->output());
  BOOST_TEST(scene().ask("SELECT count(*) FROM pg_tables WHERE tablename = 'of_the_tool'") == "0");
  must(issuer.revoke(role, soon()));  // once more changes nothing
}

BOOST_AUTO_TEST_CASE(an_heir_gets_what_a_role_made) {
  auto issuer = issuer_at(scene().by_socket(), writers("heirs"));
  const IssuedCredential role = must(issuer.issue(request(), soon()));
  BOOST_TEST(ask_as(role, "CREATE TABLE kept (id int)").find("psql") == std::string::npos);
  must(issuer.revoke(role, soon()));
  BOOST_TEST(!is_there(role));
  BOOST_TEST(scene().ask("SELECT tableowner FROM pg_tables WHERE tablename = 'kept'") == "heirs");
  static_cast<void>(scene().ask("DROP TABLE kept"));
}

// A function of the role with SECURITY DEFINER would run with the heir's powers.
BOOST_AUTO_TEST_CASE(an_heir_with_powers_inherits_nothing) {
  for (const char* heir : {"postgres", "issuer", "nobody there"}) {
    auto issuer = issuer_at(scene().by_socket(), writers(heir));
    const IssuedCredential role = must(issuer.issue(request(), soon()));
    BOOST_TEST(error_of(issuer.revoke(role, soon())) == "config_invalid");
    BOOST_TEST((issuer.facts().state == IssuerState::kFailing));
    BOOST_TEST(ask_as(role, "SELECT 1").find("psql: ") == 0U);  // nobody enters as it all the same
    auto corrected = issuer_at(scene().by_socket(), writers());
    must(corrected.revoke(role, soon()));
    BOOST_TEST(!is_there(role));
  }
}

BOOST_AUTO_TEST_CASE(what_a_crash_left_behind_is_swept_when_it_has_expired) {
  auto issuer = issuer_at(scene().by_socket(), writers());
  const IssuedCredential left = must(issuer.issue(request(), soon()));
  const IssuedCredential in_use = must(issuer.issue(request(), soon()));
  const auto session = sleeping(left);
  must(issuer.sweep(soon()));
  BOOST_TEST(is_there(left));  // it has not expired
  static_cast<void>(scene().ask("ALTER ROLE \"" + left.username + "\" VALID UNTIL '2001-01-01'"));
  must(issuer.sweep(soon()));
  BOOST_TEST(!is_there(left));
  BOOST_TEST(session->wait() != 0);
  BOOST_TEST(is_there(in_use));
  must(issuer.revoke(in_use, soon()));
}

BOOST_AUTO_TEST_CASE(roles_of_others_are_left_alone) {
  static_cast<void>(scene().ask("CREATE ROLE chancery_without_a_mark LOGIN VALID UNTIL '2001-01-01'"));
  vault::PostgresRolesOptions options = readers();
  options.owner = "another's";
  auto other = issuer_at(scene().by_socket(), options);
  const IssuedCredential of_another = must(other.issue(request(), soon()));
  static_cast<void>(scene().ask("ALTER ROLE \"" + of_another.username + "\" VALID UNTIL '2001-01-01'"));
  auto issuer = issuer_at(scene().by_socket());
  must(issuer.sweep(soon()));
  BOOST_TEST(is_there(of_another));
  must(issuer.revoke(of_another, soon()));
  BOOST_TEST(is_there(of_another));
  BOOST_TEST(scene().ask(kRolesOfOurs) == "2");
  must(other.sweep(soon()));
  BOOST_TEST(!is_there(of_another));
  static_cast<void>(scene().ask("DROP ROLE chancery_without_a_mark"));
}

BOOST_AUTO_TEST_CASE(one_role_that_cannot_go_keeps_none_of_the_others) {
  auto issuer = issuer_at(scene().by_socket(), writers());
  const IssuedCredential stuck = must(issuer.issue(request(), soon()));
  const IssuedCredential other = must(issuer.issue(request(), soon()));
  BOOST_TEST(ask_as(stuck, "CREATE TABLE needed (id int PRIMARY KEY)").find("psql") == std::string::npos);
  static_cast<void>(scene().ask("CREATE VIEW of_somebody_else AS SELECT id FROM needed"));
  for (const IssuedCredential* role : {&stuck, &other})
    static_cast<void>(scene().ask("ALTER ROLE \"" + role->username + "\" VALID UNTIL '2001-01-01'"));
  BOOST_TEST(error_of(issuer.sweep(soon())) == "conflict");
  BOOST_TEST(is_there(stuck));
  BOOST_TEST(!is_there(other));
  static_cast<void>(scene().ask("DROP VIEW of_somebody_else"));
  must(issuer.sweep(soon()));
  BOOST_TEST(!is_there(stuck));
}

struct Tool {
  const char* name;
  std::string tool;
};
std::ostream& operator<<(std::ostream& out, const Tool& row) { return out << row.name; }

const std::array kTools{
    Tool{"none", ""},
    Tool{"ends the identifier", R"(a" SUPERUSER; DROP TABLE orders; --)"},
    Tool{"ends a literal", "a'); DROP TABLE orders; --"},
    Tool{"a NUL", std::string("a\0b", 3)},
    Tool{"line ends", "a\r\nb"},
    Tool{"other letters", "Größe 注文"},
    Tool{"octets that are no UTF-8", "a\xff\xfe"},
    Tool{"long", std::string(500, 'x')},
    Tool{"a format", "%I %s $1"},
};

BOOST_DATA_TEST_CASE(what_a_tool_is_called_is_no_part_of_a_command, boost::unit_test::data::make(kTools),
                     row) {
  auto issuer = issuer_at(scene().by_socket());
  const IssuedCredential role = must(issuer.issue(request(row.tool), soon()));
  BOOST_TEST(role.username.size() <= 63U);
  BOOST_TEST(role.username.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos);
  BOOST_TEST(is_there(role));
  BOOST_TEST(ask_as(role, "SELECT id FROM orders") == "7");
  must(issuer.revoke(role, soon()));
  BOOST_TEST(!is_there(role));
}

BOOST_AUTO_TEST_CASE(groups_and_marks_are_quoted) {
  static_cast<void>(scene().ask(R"(CREATE ROLE "a ""strange"" group; --")"));
  vault::PostgresRolesOptions options;
  options.groups = {"readers", R"(a "strange" group; --)"};
  options.owner = "o'clock\\";
  auto issuer = issuer_at(scene().by_socket(), options);
  const IssuedCredential role = must(issuer.issue(request(), soon()));
  must(issuer.revoke(role, soon()));
  BOOST_TEST(!is_there(role));
  static_cast<void>(scene().ask(R"(DROP ROLE "a ""strange"" group; --")"));
}

BOOST_AUTO_TEST_CASE(calls_at_the_same_time_have_a_role_each) {
  auto issuer = issuer_at(scene().by_socket());
  std::array<bool, 8> good{};
  std::vector<std::thread> callers;
  for (bool& one : good) {
    callers.emplace_back([&issuer, &one] {
      const auto role = issuer.issue(request(), soon());
      one = role && issuer.revoke(*role, soon());
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (const bool one : good) BOOST_TEST(one);
  BOOST_TEST(scene().ask(kRolesOfOurs) == "0");
}

struct Wrong {
  const char* name;
  void (*change)(vault::PostgresAddress&, vault::PostgresRolesOptions&);
  const char* error;
};
std::ostream& operator<<(std::ostream& out, const Wrong& row) { return out << row.name; }

const std::array kWrongs{
    Wrong{"no CA", [](auto& address, auto&) { address.ca_file.clear(); }, "config_invalid"},
    Wrong{"another name than the certificate's", [](auto& address, auto&) { address.host = "127.0.0.1"; },
          "tls_failed"},
    Wrong{"another CA", [](auto& address, auto&) { address.ca_file = "/etc/ssl/certs/ca-certificates.crt"; },
          "tls_failed"},
    Wrong{"another password",
          [](auto& address, auto&) { address.password = SecretBytes(as_bytes("another")); },
          "request_refused"},
    Wrong{"another user", [](auto& address, auto&) { address.user = "nobody there"; }, "request_refused"},
    Wrong{"another database", [](auto& address, auto&) { address.database = "nothing there"; },
          "request_refused"},
    Wrong{"another port", [](auto& address, auto&) { address.port = free_port(); }, "connect_failed"},
    Wrong{"another group", [](auto&, auto& options) { options.groups = {"nobody there"}; }, "not_found"},
};

BOOST_DATA_TEST_CASE(what_is_configured_wrongly_is_told, boost::unit_test::data::make(kWrongs), row) {
  vault::PostgresAddress address = scene().by_tls();
  vault::PostgresRolesOptions options = readers();
  row.change(address, options);
  auto issuer = issuer_at(std::move(address), options);
  BOOST_TEST(error_of(issuer.issue(request(), soon())) == row.error);
  BOOST_TEST((issuer.facts().state == IssuerState::kFailing));
  BOOST_TEST(scene().ask(kRolesOfOurs) == "0");
}

BOOST_AUTO_TEST_CASE(a_role_that_may_make_none_is_told) {
  static_cast<void>(scene().ask("CREATE ROLE powerless LOGIN PASSWORD 'p'"));
  vault::PostgresAddress address = scene().by_socket();
  address.user = "powerless";
  address.password = SecretBytes(as_bytes("p"));
  auto issuer = issuer_at(std::move(address));
  BOOST_TEST(error_of(issuer.issue(request(), soon())) == "forbidden");
  BOOST_TEST(issuer.facts().why.native == 6818257U);  // 42501 in base 36
  static_cast<void>(scene().ask("DROP ROLE powerless"));
}

BOOST_AUTO_TEST_CASE(a_lock_of_others_does_not_outlast_the_deadline) {
  auto issuer = issuer_at(scene().by_socket(), writers());
  const IssuedCredential role = must(issuer.issue(request(), soon()));
  BOOST_TEST(ask_as(role, "CREATE TABLE locked (id int)").find("psql") == std::string::npos);
  auto session =
      scene().session("postgres", "superuser's password", "BEGIN; LOCK TABLE locked; SELECT pg_sleep(300)");
  const vault::Deadline patience = soon(seconds(30));
  while (
      scene().ask(
          "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE c.relname = 'locked'") !=
      "1") {
    BOOST_REQUIRE_MESSAGE(!session->has_ended() && std::chrono::steady_clock::now() < patience,
                          session->output());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  BOOST_TEST(error_of(issuer.revoke(role, soon(std::chrono::milliseconds(1500)))) == "timeout");
  static_cast<void>(
      scene().ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%LOCK TABLE%' "
                  "AND pid <> pg_backend_pid()"));
  static_cast<void>(session->wait());
  must(issuer.revoke(role, soon()));
  BOOST_TEST(!is_there(role));
}

BOOST_AUTO_TEST_CASE(a_server_that_stands_still_does_not_outlast_the_deadline) {
  PostgresScene own;
  auto issuer = issuer_at(own.by_socket());
  own.server().pause();  // takes connections, and nobody serves them
  BOOST_TEST(error_of(issuer.issue(request(), soon(std::chrono::milliseconds(500)))) == "timeout");
  own.server().resume();
  const IssuedCredential role = must(issuer.issue(request(), soon()));
  must(issuer.revoke(role, soon()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
