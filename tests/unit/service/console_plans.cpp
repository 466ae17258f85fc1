// That no statement behind the console's requests, nor behind an incident's opening, walks through a large table: every statement that
// they run, and not those alone that a list here would remember.

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <sqlite3.h>

#include <chancery/approval_decision.hpp>

#include "daemon/rest/console_gate.hpp"
#include "daemon/rest/routes.hpp"
#include "daemon/service/authority.hpp"
#include "tests/unit/service/console_fixture.hpp"

namespace chancery::tests {
namespace {

constexpr const char* kCredential = "Ym9i";

// Connections that are opened while a test listens.
std::set<sqlite3*> opened_connections;

int note_connection(sqlite3* connection, char**, const sqlite3_api_routines*) {
  opened_connections.insert(connection);
  return SQLITE_OK;
}

/// Listens from before the office opens its database.
struct Listening {
  Listening() {
    opened_connections.clear();
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(note_connection));
  }
  ~Listening() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(note_connection)); }
};

using Texts = std::set<std::string, std::less<>>;

/// What a query answers in one of its columns.
std::vector<std::string> column_of(sqlite3* connection, const std::string& sql, int column) {
  sqlite3_stmt* statement = nullptr;
  BOOST_REQUIRE_MESSAGE(sqlite3_prepare_v2(connection, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK,
                        sql);
  std::vector<std::string> out;
  while (sqlite3_step(statement) == SQLITE_ROW)
    out.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(statement, column)));
  sqlite3_finalize(statement);
  return out;
}

std::vector<std::string> plan_of(sqlite3* connection, const std::string& sql) {
  return column_of(connection, "EXPLAIN QUERY PLAN " + sql, 3);
}

// What a connection runs while it is traced.
int note_statement(unsigned, void* statements, void* statement, void*) {
  const char* const sql = sqlite3_sql(static_cast<sqlite3_stmt*>(statement));
  if (sql != nullptr) static_cast<Texts*>(statements)->emplace(sql);
  return 0;
}

/// Whether it reads or changes rows.
bool has_plan(std::string_view sql) {
  const std::size_t begin = sql.find_first_not_of(" \n");
  if (begin == std::string_view::npos) return false;
  return std::ranges::any_of(std::array{"SELECT", "WITH", "INSERT", "UPDATE", "DELETE"},
                             [&](const char* word) { return sql.substr(begin).starts_with(word); });
}

// What stays small, and why. Every other table may be large, and so may one of a later step of the schema.
constexpr std::array<std::string_view, 19> kSmall{
    "approval_notices",  // 4,096 at most, and none while nobody is told
    "approver_keys",     // 1,000 persons with 16 active keys each, and few who change them
    "approvers",         // 1,000 at most
    "attestation_keys",  // one of a backend
    "audit_log",         // one row
    "audit_recent",  // some 4,100 at most: more than those are brought into the index with what is recorded next
    "backend_pins",    // one of a backend
    "checkpoint",      // one row
    "forgotten",       // one of a book
    "freeze_slots",    // 959 at most
    "freezes",         // who is frozen, which somebody did by hand
    "hosts",           // one of a backend, and those that left
    "issuer_grants",   // one of an issuer that is configured
    "key_intents",     // what is under way
    "master_pin",      // one row
    "status_lists",    // one of a hundred thousand tokens and more
    "told_anomalies",  // one row
    "told_approvals",  // one row
    "vault_key",       // one row
};

/// A statement that goes through rows one after the other, and may.
struct Allowed {
  std::string_view part;  ///< of its text
  std::string_view why;
};
constexpr std::array<Allowed, 21> kAllowed{{
    {"SELECT (SELECT count(*) FROM agents)", "agents are counted by an index: 10,000 in half a millisecond"},
    {"FROM agents a CROSS JOIN keys k ON k.seq = a.key WHERE a.seq > ?",
     "the keys of all agents are looked at, a thousand a page, each by its place"},
    {"a.retired_at IS NULL ORDER BY a.seq LIMIT ?",
     "a page of agents; those that are retired are passed over"},
    {"a.retired_at IS NULL ORDER BY a.name LIMIT ?", "a page, by the index of names of who is not retired"},
    {"size DESC LIMIT 1", "the newest checkpoint: from the end, the first that is there"},
    {"AND c.size > ? ORDER BY c.size LIMIT ?", "a page of checkpoints"},
    {"FROM audit ORDER BY sequence DESC LIMIT ?", "the log's end"},
    {"FROM audit WHERE sequence < ? ORDER BY sequence DESC LIMIT ?", "a page of the log: each row counts"},
    {"FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?", "the same, or the entries below one node"},
    {"FROM anomalies ORDER BY id DESC LIMIT ?", "the newest anomalies"},
    {"FROM parked_calls WHERE seq > ?1 ORDER BY seq LIMIT ?2", "a page of requests: each row counts"},
    {"FROM parked_calls WHERE seq < ?1 AND state <> 'pending' ORDER BY seq DESC LIMIT ?2",
     "a page of the history: what waits is passed over, 1,024 at most"},
    {"FROM parked_calls WHERE state = 'pending' AND expires_at > ?",
     "by the index of what waits: 1,024 at most"},
    {"FROM credentials WHERE name > ? ORDER BY name LIMIT ?", "a page of credentials: each row counts"},
    {"SELECT count(*) FROM totals", "totals are counted by an index, as agents are"},
    {"FROM reservations WHERE state = 'reserved'", "by the index of reservations that are open"},
    {"FROM reservations CROSS JOIN reserved_amounts", "the same"},
    {"SELECT EXISTS (SELECT 1 FROM gated_tokens)", "the first row answers it"},
    {"FROM status_acts a JOIN status_marks m ON m.act = a.seq JOIN tokens t ON t.seq = m.token",
     "tokens that were ended and have not expired: those that lists and snapshots have too"},
    {"FROM ended_holders",
     "keys that somebody ended though they are none of ours: what is published names each"},
    {"INDEXED BY status_acts_standing", "by the index of suspensions that stand"},
}};

/// The kind of step that looks at rows which nothing named: "SCAN audit", "SCAN c USING …", and a search that knows only from
/// where or up to where: "SEARCH audit USING INTEGER PRIMARY KEY (rowid>?)".
bool goes_through_rows(std::string_view step) {
  if (step.starts_with("SCAN ")) return true;
  if (!step.starts_with("SEARCH ")) return false;
  const std::size_t known = step.find('(');
  return known != std::string_view::npos && step.substr(known).find('=') == std::string_view::npos;
}

/// The table that a step is about, by its own name or by the one that the statement gives it; empty for none.
std::string table_of(std::string_view step, const std::string& sql, const std::vector<std::string>& tables) {
  const std::size_t begin = step.find(' ') + 1;
  const std::string name(step.substr(begin, step.find(' ', begin) - begin));
  for (const std::string& table : tables) {
    if (table == name) return table;
    for (const char* const end : {" ", ",", ")", "\n"}) {
      if ((sql + " ").find(" " + table + " " + name + end) != std::string::npos) return table;
    }
  }
  return {};
}

bool walks(std::string_view step, const std::string& sql, const std::vector<std::string>& tables) {
  if (!goes_through_rows(step)) return false;
  const std::string table = table_of(step, sql, tables);
  return !table.empty() && std::ranges::find(kSmall, table) == kSmall.end();
}

bool is_allowed(const std::string& sql) {
  return std::ranges::any_of(kAllowed,
                             [&](const Allowed& row) { return sql.find(row.part) != std::string::npos; });
}

/// The database of an office with a console.
struct PlanFixture : Listening, ConsoleFixture {
  PlanFixture() {
    BOOST_REQUIRE(opened_connections.size() == 1u);
    connection = *opened_connections.begin();
    tables = column_of(connection, "SELECT name FROM sqlite_schema WHERE type = 'table'", 0);
  }

  /// What is asked from here on is noted.
  void listen() { sqlite3_trace_v2(connection, SQLITE_TRACE_STMT, note_statement, &statements); }

  void expect_no_walk() {
    sqlite3_trace_v2(connection, 0, nullptr, nullptr);
    std::erase_if(statements, [](const std::string& sql) { return !has_plan(sql); });
    for (const std::string& sql : statements) {
      for (const std::string& step : plan_of(connection, sql))
        BOOST_TEST((!walks(step, sql, tables) || is_allowed(sql)), step << "\n  of " << sql);
    }
  }

  void expect_read(const std::string& path) {
    const Response answer = page("GET", "/ui/api/" + path);
    BOOST_TEST(answer.status == 200, path << ": " << answer.body);
  }
  void expect_done(const Response& answer) {
    BOOST_TEST(answer.status < 300, answer.status << ": " << answer.body);
  }

  sqlite3* connection = nullptr;
  std::vector<std::string> tables;
  Texts statements;
};

std::string asked_path(const rest::Route& route) {
  std::string path(route.pattern.substr(std::string_view("/v1/").size()));
  if (const auto at = path.find("{name}"); at != std::string::npos) path.replace(at, 6, "support");
  return path;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(console_plans)

BOOST_FIXTURE_TEST_CASE(no_read_of_the_console_walks_through_a_large_table, PlanFixture) {
  const std::string id = id_of(ask());
  sign_in();
  const std::string token = of(of(show(id).body, "document"), "token");
  const std::string key = member(call("GET", "/v1/agents/support", "", kOperatorUid), "jkt");
  listen();
  for (const std::string& path : {std::string("overview"),
                                  std::string("backends"),
                                  std::string("budget"),
                                  std::string("freeze"),
                                  std::string("process"),
                                  std::string("anomalies?limit=50"),
                                  std::string("console/agents?limit=50"),
                                  std::string("console/agents?limit=2&after=orchestrator"),
                                  std::string("console/agents?search=s"),
                                  "console/agents?search=" + key,
                                  std::string("console/agents/support"),
                                  std::string("agents"),
                                  std::string("agents/support"),
                                  std::string("agents/support/keys"),
                                  std::string("console/audit?limit=50"),
                                  std::string("console/audit?before=4&limit=2"),
                                  std::string("console/audit?ref=support"),
                                  std::string("console/audit?action=agent.create"),
                                  std::string("console/audit?ref=support&action=agent.&before=9"),
                                  std::string("audit/entries?ref=support"),
                                  std::string("audit/entries/1"),
                                  std::string("audit/checkpoints?after=0&limit=20"),
                                  std::string("audit/consistency?from=1&to=3"),
                                  std::string("audit/inclusion?entry=1&size=3"),
                                  std::string("audit/keys"),
                                  std::string("approvals"),
                                  std::string("approvals?state=pending&limit=1000"),
                                  std::string("approvals?state=denied&order=newest"),
                                  std::string("approvals?state=settled&order=newest"),
                                  "approvals?state=settled&order=newest&after=" + id,
                                  "approvals?after=" + id,
                                  "approvals/" + id,
                                  "console/approvals/" + id,
                                  "console/chains/" + token,
                                  std::string("approvers"),
                                  std::string("gates")})
    expect_read(path);
  for (const char* const judged : {"verify", "explain"})
    expect_done(page("POST", std::string("/ui/api/chains/") + judged, R"({"chain":)" + chain + "}"));
  expect_done(page("POST", "/ui/api/impact", R"({"agent":"support"})"));
  expect_no_walk();
  BOOST_TEST(statements.size() > 25u);
}

// What else a session may read is asked for too, whatever is answered.
BOOST_FIXTURE_TEST_CASE(nothing_that_a_session_may_read_walks_through_a_large_table, PlanFixture) {
  sign_in();
  listen();
  std::size_t asked = 0;
  for (const rest::Route& route : rest::routes()) {
    if (route.method != "GET" || !rest::is_for_console(route)) continue;
    if (!route.scope.empty() && !service::only_reads(route.scope)) continue;
    const Response answer = page("GET", "/ui/api/" + asked_path(route));
    BOOST_TEST((answer.status != 401 && answer.status != 403), route.pattern << ": " << answer.body);
    ++asked;
  }
  expect_no_walk();
  BOOST_TEST(asked > 25u);
}

// A decision by a passkey, as the page makes it; and what takes a confirmation, as the operator asks for it on the socket.
BOOST_FIXTURE_TEST_CASE(nothing_that_the_console_changes_walks_through_a_large_table, PlanFixture) {
  const MadePasskey bob;
  enrol(bob, kBob, kCredential);
  const std::string decided = id_of(ask_for("ch_1"));
  const std::string cancelled = id_of(ask_for("ch_2"));
  listen();
  sign_in(kBobUid);
  sign_in_with(bob, kCredential);
  const Response prepared =
      page("POST", "/ui/decisions", R"({"request":")" + decided + R"(","verdict":"approve"})");
  BOOST_REQUIRE_MESSAGE(prepared.status == 200, prepared.body);
  expect_done(page("POST", "/ui/api/approvals/" + decided + "/decision",
                   R"({"decision":")" + bob.sign_jws(member(prepared, "input")) + "\"}"));
  expect_done(call("DELETE", "/v1/approvals/" + cancelled, "", kOperatorUid));
  const auto post = [&](const char* path, const char* body) {
    expect_done(call("POST", path, body, kOperatorUid));
  };
  post("/v1/agents/lookup/rotate", "{}");
  post("/v1/agents/lookup/freeze", R"({"reason":"odd"})");
  post("/v1/revocations", R"({"agent":"support","reason":"over"})");
  post("/v1/freeze", R"({"reason":"leak"})");
  expect_no_walk();
  BOOST_TEST(statements.size() > 25u);
}

// Nor does the opening of an incident, of an agent with a request that waits and a token below its own.
BOOST_FIXTURE_TEST_CASE(opening_an_incident_walks_through_no_large_table, PlanFixture) {
  const std::string waits = id_of(ask());
  const Response delegated =
      call("POST", "/v1/delegations",
           R"({"chain":)" + chain + R"(,"to":"support","scopes":["payments.refund"]})", kOrchestratorUid);
  BOOST_REQUIRE_MESSAGE(delegated.status == 201, delegated.body);
  listen();
  const Response opened =
      call("POST", "/v1/incidents", R"({"agent":"orchestrator","reason":"odd","freeze":true,"revoke":true})",
           kOperatorUid);
  BOOST_TEST(opened.status == 201, opened.body);
  BOOST_TEST(opened.body.find(waits) != std::string::npos);
  expect_no_walk();
  BOOST_TEST(std::ranges::any_of(
      statements, [](const std::string& sql) { return sql.find("FROM permits") != std::string::npos; }));
}

// The tests above would see a walk, by whatever name, and a search that is none.
BOOST_FIXTURE_TEST_CASE(a_walk_through_a_large_table_is_seen, PlanFixture) {
  for (const std::string sql :
       {"SELECT entry FROM audit WHERE entry LIKE '%x%'", "SELECT t.compact FROM tokens t WHERE t.jti = 'x'",
        "SELECT entry FROM audit WHERE sequence > 1 AND entry LIKE '%x%'",
        "UPDATE keys SET reason = 'x' WHERE reason = 'y'", "DELETE FROM permits WHERE tool = 'x'"}) {
    const std::vector<std::string> plan = plan_of(connection, sql);
    BOOST_TEST(std::ranges::any_of(plan, [&](const std::string& step) { return walks(step, sql, tables); }),
               sql);
    BOOST_TEST(!is_allowed(sql), sql);
  }
  const std::string by_index = "SELECT compact FROM tokens WHERE id = 'x'";
  for (const std::string& step : plan_of(connection, by_index)) BOOST_TEST(!walks(step, by_index, tables));
}

// A name that no table has any more is taken out of the list.
BOOST_FIXTURE_TEST_CASE(every_small_table_is_one, PlanFixture) {
  for (const std::string_view table : kSmall)
    BOOST_TEST((std::ranges::find(tables, table) != tables.end()), table);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
