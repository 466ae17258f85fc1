// The console: its files, signing in, and what a session may.

#include <algorithm>
#include <array>
#include <atomic>
#include <set>
#include <thread>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/rest/console_gate.hpp"
#include "daemon/rest/routes.hpp"
#include "tests/unit/service/console_fixture.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;

constexpr std::array kGuards{"Content-Security-Policy",
                             "X-Frame-Options",
                             "Referrer-Policy",
                             "Cross-Origin-Opener-Policy",
                             "Cross-Origin-Embedder-Policy",
                             "Cross-Origin-Resource-Policy",
                             "Permissions-Policy"};

void expect_guarded(const Response& response, const std::string& what) {
  for (const char* name : kGuards) {
    const auto found =
        std::ranges::count_if(response.headers, [&](const auto& header) { return header.first == name; });
    BOOST_TEST(found == 1, what << ": " << name);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(console)

// --- files

BOOST_FIXTURE_TEST_CASE(the_page_and_its_files_are_there_for_everybody, ConsoleFixture) {
  for (const char* path : {"/ui", "/ui/"}) {
    const Response page = call("GET", path, "", std::nullopt);
    BOOST_TEST(page.status == 200, page.body);
    BOOST_TEST(page.content_type == "text/html; charset=utf-8");
    BOOST_TEST(page.body == "<!doctype html><title>Chancery</title>");
    BOOST_TEST(!field(page, "Cache-Control").has_value());  // the edge's no-store
    expect_guarded(page, path);
  }
  const Response asset = call("GET", "/ui/assets/index-4f2a.js", "", std::nullopt);
  BOOST_TEST(asset.status == 200);
  BOOST_TEST(asset.content_type == "text/javascript; charset=utf-8");
  BOOST_TEST(field(asset, "Cache-Control").value_or("") == "public, max-age=31536000, immutable");
  const std::string tag = field(asset, "ETag").value_or("");
  const Response same = call("GET", "/ui/assets/index-4f2a.js", "", std::nullopt, {{"if-none-match", tag}});
  BOOST_TEST(same.status == 304);
  BOOST_TEST(same.body.empty());
  const Response other =
      call("GET", "/ui/assets/index-4f2a.js", "", std::nullopt, {{"if-none-match", "\"x\""}});
  BOOST_TEST(other.status == 200);
  BOOST_TEST(field(call("GET", "/ui/favicon.svg", "", std::nullopt), "Cache-Control").value_or("") ==
             "no-cache");
}

BOOST_FIXTURE_TEST_CASE(there_are_no_other_files, ConsoleFixture) {
  for (const char* path :
       {"/ui/agents", "/ui/assets/none.js", "/ui/assets/..", "/ui/assets", "/ui/assets/../index.html",
        "/ui/assets/%2e%2e%2findex.html", "/ui/%2e%2e", "/ui/..", "/uix"}) {
    const Response answer = call("GET", path, "", std::nullopt);
    BOOST_TEST(answer.status == 404, path);
  }
}

BOOST_AUTO_TEST_CASE(files_that_no_build_makes_are_refused) {
  const auto refused = [](const char* name) {
    const MadeConsole made;
    made.put(name, "x");
    const auto files = service::ConsoleFiles::read(made.folder());
    return !files && files.error().code == ErrorCode::kConfigInvalid;
  };
  BOOST_TEST(refused("page.php"));
  BOOST_TEST(refused("assets/run.sh"));
  BOOST_TEST(refused("none"));
  BOOST_TEST(refused(".hidden.js"));
  BOOST_TEST(refused("a b.js"));
  const MadeConsole made;
  std::filesystem::remove(made.folder() / "index.html");
  const auto empty = service::ConsoleFiles::read(made.folder());
  BOOST_REQUIRE(!empty);
  BOOST_TEST((empty.error().code == ErrorCode::kConfigInvalid));
}

BOOST_FIXTURE_TEST_CASE(without_a_console_there_is_nothing, ConsoleFixture) {
  office().console = nullptr;
  for (const char* path : {"/ui", "/ui/", "/ui/session", "/ui/api/agents"}) {
    const Response answer = page("GET", path);
    BOOST_TEST(answer.status == 404, path);
    BOOST_TEST(member(answer, "code") == "route_unknown");
    expect_guarded(answer, path);
  }
  BOOST_TEST(call("POST", "/v1/console/links", "{}", kOperatorUid).status == 404);
}

BOOST_FIXTURE_TEST_CASE(every_answer_tells_the_browser_what_it_may_not, ConsoleFixture) {
  expect_guarded(page("GET", "/ui/session"), "401");
  expect_guarded(page("POST", "/ui/session", "{}"), "400");
  expect_guarded(page("PUT", "/ui/session"), "405");
  expect_guarded(page("GET", "/ui/nothing"), "404");
  expect_guarded(call("POST", "/ui/session", "{}", std::nullopt), "403");
  sign_in();
  expect_guarded(page("GET", "/ui/api/agents"), "200");
  expect_guarded(page("GET", "/ui/api/none"), "404");
  expect_guarded(page("DELETE", "/ui/session"), "204");
}

// --- links

BOOST_FIXTURE_TEST_CASE(a_link_is_for_the_operator_and_for_who_is_named, ConsoleFixture) {
  const Response made = call("POST", "/v1/console/links", "{}", kOperatorUid);
  BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
  BOOST_TEST(member(made, "role") == "operator");
  BOOST_TEST(member(made, "url").starts_with("https://localhost:9443/ui#link="));
  BOOST_TEST(member(made, "url").size() == std::string("https://localhost:9443/ui#link=").size() + 22);
  BOOST_TEST(made.carries_secret);
  const Response bobs = call("POST", "/v1/console/links", "{}", kBobUid);
  BOOST_REQUIRE_MESSAGE(bobs.status == 201, bobs.body);
  BOOST_TEST(member(bobs, "role") == "approver");
  BOOST_TEST(member(bobs, "principal") == kBob);
  const Response refused = call("POST", "/v1/console/links", "{}", kSupportUid);
  BOOST_TEST(refused.status == 403);
  BOOST_TEST(call("POST", "/v1/console/links", "{}", std::nullopt).status == 404);
  BOOST_TEST(count("console.link") == 3u);
}

BOOST_FIXTURE_TEST_CASE(a_link_opens_one_session_within_a_minute, ConsoleFixture) {
  const std::string secret = link();
  const Response opened = exchange(secret);
  BOOST_TEST(opened.status == 201, opened.body);
  const Response again = exchange(secret);
  const Response wrong = exchange(std::string(22, 'A'));
  const std::string late = link();
  set_now(kNow + 60s);
  const Response expired = exchange(late);
  for (const Response* const refused : {&again, &wrong, &expired}) {
    BOOST_TEST(refused->status == 401);
    BOOST_TEST(member(*refused, "code") == "unauthenticated");
    BOOST_TEST(refused->body == again.body);
    BOOST_TEST(!field(*refused, "Set-Cookie").has_value());
  }
  const auto entries = audit_texts_of(store(), "console.sign_in");
  BOOST_REQUIRE(entries.size() == 4u);
  for (std::size_t i = 1; i < entries.size(); ++i)
    BOOST_TEST((entries[i].find(R"("outcome":"refused")") != std::string::npos), entries[i]);
  for (const std::string& entry : audit_texts(store()))
    BOOST_TEST((entry.find(secret) == std::string::npos), "a link stands in the audit log");
}

BOOST_FIXTURE_TEST_CASE(a_link_is_good_until_its_last_second, ConsoleFixture) {
  const std::string secret = link();
  set_now(kNow + 59s);
  BOOST_TEST(exchange(secret).status == 201);
}

BOOST_FIXTURE_TEST_CASE(of_many_who_have_a_link_one_gets_a_session, ConsoleFixture) {
  const std::string secret = link();
  std::atomic<int> opened = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] { opened += desk.open(secret, kNow).has_value() ? 1 : 0; });
  }
  BOOST_TEST(opened == 1);
}

BOOST_FIXTURE_TEST_CASE(links_are_bounded_and_make_room_again, ConsoleFixture) {
  const auto ask_as = [&](std::uint32_t uid, std::chrono::sys_seconds now) {
    service::ConsoleSession session;
    session.visitor.uid = uid;
    return desk.give_link(session, now);
  };
  for (std::uint32_t i = 0; i < service::ConsoleDesk::kMostLinks; ++i) BOOST_REQUIRE(ask_as(i, kNow));
  const auto refused = ask_as(1000, kNow);
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ErrorCode::kOverloaded));
  BOOST_TEST(ask_as(1000, kNow + 60s).has_value());
}

BOOST_FIXTURE_TEST_CASE(whoever_asks_for_many_links_keeps_nobody_out, ConsoleFixture) {
  const std::string bobs = link(kBobUid);
  std::vector<std::string> links;
  for (std::size_t i = 0; i <= service::ConsoleDesk::kMostLinksOfUser; ++i) {
    set_now(kNow + std::chrono::seconds(i));
    links.push_back(link());
  }
  BOOST_TEST(exchange(links.front()).status == 401);
  for (std::size_t i = 1; i < links.size(); ++i) BOOST_TEST(exchange(links[i]).status == 201, i);
  BOOST_TEST(exchange(bobs).status == 201);
}

BOOST_FIXTURE_TEST_CASE(a_clock_that_goes_back_forgets_links, ConsoleFixture) {
  const std::string early = link();
  set_now(kNow - 1s);
  BOOST_TEST(exchange(early).status == 401);
}

// --- sessions

BOOST_FIXTURE_TEST_CASE(the_cookie_is_for_this_host_alone_and_for_no_script, ConsoleFixture) {
  const Response opened = exchange(link());
  const std::string set = field(opened, "Set-Cookie").value_or("");
  BOOST_TEST(set.starts_with("__Host-chancery="));
  BOOST_TEST(set.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"));
  keep_cookie(opened);
  BOOST_TEST(cookie.size() == 43u);
  const Response session = page("GET", "/ui/session");
  BOOST_TEST(session.status == 200, session.body);
  BOOST_TEST(member(session, "role") == "operator");
  BOOST_TEST(member(session, "needs_passkey") == "false");
  BOOST_TEST(member(session, "principal").empty());
  BOOST_TEST((session.body.find(cookie) == std::string::npos));
  BOOST_TEST(mark.size() == 22u);
  BOOST_TEST((session.body.find(mark) == std::string::npos), "whoever has the cookie is told the mark");
}

// Browsers send a cookie to every port of a host: a server of an agent's on localhost gets it, and makes what headers it likes.
BOOST_FIXTURE_TEST_CASE(a_cookie_without_the_mark_of_its_page_opens_nothing, ConsoleFixture) {
  const MadePasskey passkey;
  sign_in();
  const std::string good = mark;
  for (const std::string& bad :
       {std::string("1"), std::string("background"), std::string(22, 'A'), good + "x", good.substr(1)}) {
    mark = bad;
    BOOST_TEST(page("GET", "/ui/session").status == 401, bad);
    BOOST_TEST(page("GET", "/ui/api/agents").status == 401, bad);
    BOOST_TEST(page("POST", "/ui/api/approvers", "{}").status == 401, bad);
    BOOST_TEST(page("POST", "/ui/passkeys/options", R"({"principal":"user:eve@example.org"})").status == 401,
               bad);
    BOOST_TEST(page("DELETE", "/ui/session").status == 401, bad);
  }
  mark = good;
  BOOST_TEST(page("GET", "/ui/api/agents").status == 200);
  enrol(passkey, kBob, "Y3JlZA");
  sign_in_with(passkey, "Y3JlZA");
  BOOST_TEST(mark != good);
  BOOST_TEST(page("GET", "/ui/session").status == 200);
  mark = good;
  BOOST_TEST(page("GET", "/ui/session").status == 401);
}

BOOST_FIXTURE_TEST_CASE(a_session_ends_with_what_it_rests_on, ConsoleFixture) {
  const MadePasskey passkey;
  enrol(passkey, kBob, "Y3JlZA");
  sign_in();
  sign_in_with(passkey, "Y3JlZA");
  BOOST_TEST(page("GET", "/ui/api/agents").status == 200);
  const std::string jkt = passkey.public_key().thumbprint().text();
  const Response revoked = call("POST", "/v1/approver-keys/" + jkt + "/revoke", "{}", kOperatorUid);
  BOOST_REQUIRE_MESSAGE(revoked.status == 200, revoked.body);
  BOOST_TEST(page("GET", "/ui/api/agents").status == 401);

  sign_in();
  BOOST_TEST(page("GET", "/ui/api/agents").status == 200);
  const std::vector<std::uint32_t> operators = office().policy.current()->operators.uids;
  change_policy([](service::Policy& policy) { policy.operators = {{kSupportUid}, std::nullopt}; });
  BOOST_TEST(page("GET", "/ui/api/agents").status == 401);
  change_policy([&](service::Policy& policy) { policy.operators = {operators, std::nullopt}; });
  BOOST_TEST(page("GET", "/ui/api/agents").status == 401);  // it is not there again
}

BOOST_FIXTURE_TEST_CASE(whoever_signs_out_has_no_session_any_more, ConsoleFixture) {
  sign_in();
  const Response closed = page("DELETE", "/ui/session");
  BOOST_TEST(closed.status == 204);
  BOOST_TEST(field(closed, "Set-Cookie").value_or("").ends_with("Max-Age=0"));
  BOOST_TEST(page("GET", "/ui/session").status == 401);
  BOOST_TEST(count("console.sign_out") == 1u);
}

BOOST_FIXTURE_TEST_CASE(another_link_ends_the_session_before_it, ConsoleFixture) {
  sign_in();
  const std::string former = cookie;
  const std::string former_mark = mark;
  sign_in();
  BOOST_TEST(page("GET", "/ui/session").status == 200);
  cookie = former;
  mark = former_mark;
  BOOST_TEST(page("GET", "/ui/session").status == 401);
}

BOOST_FIXTURE_TEST_CASE(a_session_ends_when_nobody_does_anything, ConsoleFixture) {
  sign_in();
  set_now(kNow + 14min + 59s);
  BOOST_TEST(page("GET", "/ui/session").status == 200);
  set_now(kNow + 29min + 58s);
  BOOST_TEST(page("GET", "/ui/session").status == 200);
  set_now(kNow + 44min + 58s);
  BOOST_TEST(page("GET", "/ui/session").status == 401);
}

BOOST_FIXTURE_TEST_CASE(a_page_that_asks_by_itself_keeps_nobody_signed_in, ConsoleFixture) {
  sign_in();
  const auto in_background = [&] {
    return call("GET", "/ui/api/approvals", "", std::nullopt,
                {{"x-chancery-console", mark + "; background"}, {"cookie", "__Host-chancery=" + cookie}})
        .status;
  };
  for (int minute = 1; minute < 15; ++minute) {
    set_now(kNow + std::chrono::minutes(minute));
    BOOST_REQUIRE(in_background() == 200);
  }
  set_now(kNow + 15min);
  BOOST_TEST(in_background() == 401);
}

BOOST_FIXTURE_TEST_CASE(a_session_ends_however_busy_it_is, ConsoleFixture) {
  sign_in();
  for (int minute = 10; minute < 8 * 60; minute += 10) {
    set_now(kNow + std::chrono::minutes(minute));
    BOOST_REQUIRE(page("GET", "/ui/session").status == 200);
  }
  set_now(kNow + 8h);
  BOOST_TEST(page("GET", "/ui/session").status == 401);
}

BOOST_FIXTURE_TEST_CASE(a_clock_that_goes_back_ends_sessions, ConsoleFixture) {
  sign_in();
  set_now(kNow - 1s);
  BOOST_TEST(page("GET", "/ui/session").status == 401);
}

BOOST_FIXTURE_TEST_CASE(one_user_has_so_many_sessions_and_no_more, ConsoleFixture) {
  sign_in();
  const std::string oldest = cookie;
  const std::string oldest_mark = mark;
  cookie.clear();
  for (std::size_t i = 0; i < service::ConsoleDesk::kMostSessionsOfUser; ++i) {
    set_now(kNow + std::chrono::seconds(i + 1));
    sign_in();
    if (i + 1 < service::ConsoleDesk::kMostSessionsOfUser) cookie.clear();
  }
  BOOST_TEST(page("GET", "/ui/session").status == 200);
  cookie = oldest;
  mark = oldest_mark;
  BOOST_TEST(page("GET", "/ui/session").status == 401);
}

// --- requests of other pages

namespace {

struct Foreign {
  const char* what;
  const char* method;
  std::vector<std::pair<std::string, std::string>> headers;  ///< besides the cookie
  int status;
};
std::ostream& operator<<(std::ostream& out, const Foreign& row) { return out << row.what; }

const std::vector<std::pair<std::string, std::string>> kGood{
    {"x-chancery-console", "MARK"}, {"origin", kOrigin}, {"sec-fetch-site", "same-origin"}};

const std::array kForeign{
    Foreign{"the page's own", "POST", kGood, 200},
    Foreign{"without the mark", "POST", {{"origin", kOrigin}, {"sec-fetch-site", "same-origin"}}, 403},
    Foreign{"another mark", "POST", {{"x-chancery-console", "2"}, {"origin", kOrigin}}, 401},
    Foreign{"by itself", "POST", {{"x-chancery-console", "MARK; background"}, {"origin", kOrigin}}, 403},
    Foreign{"without an origin", "POST", {{"x-chancery-console", "MARK"}}, 403},
    Foreign{"of another origin",
            "POST",
            {{"x-chancery-console", "MARK"}, {"origin", "https://evil.example"}},
            403},
    Foreign{"of no origin", "POST", {{"x-chancery-console", "MARK"}, {"origin", "null"}}, 403},
    Foreign{
        "of another port", "POST", {{"x-chancery-console", "MARK"}, {"origin", "https://localhost:1"}}, 403},
    Foreign{"of another scheme",
            "POST",
            {{"x-chancery-console", "MARK"}, {"origin", "http://localhost:8443"}},
            403},
    Foreign{"of two origins",
            "POST",
            {{"x-chancery-console", "MARK"}, {"origin", kOrigin}, {"origin", kOrigin}},
            403},
    Foreign{"of another site",
            "POST",
            {{"x-chancery-console", "MARK"}, {"origin", kOrigin}, {"sec-fetch-site", "cross-site"}},
            403},
    Foreign{"of a neighbour",
            "POST",
            {{"x-chancery-console", "MARK"}, {"origin", kOrigin}, {"sec-fetch-site", "same-site"}},
            403},
    Foreign{"typed in", "GET", {{"sec-fetch-site", "none"}}, 403},
    Foreign{"read by another site",
            "GET",
            {{"x-chancery-console", "MARK"}, {"sec-fetch-site", "cross-site"}},
            403},
    Foreign{"read without the mark", "GET", {{"sec-fetch-site", "same-origin"}}, 403},
    Foreign{"read without a session's mark", "GET", {{"x-chancery-console", "1"}}, 401},
    Foreign{"read by the page", "GET", {{"x-chancery-console", "MARK"}}, 200},
    Foreign{"read by the page by itself", "GET", {{"x-chancery-console", "MARK; background"}}, 200},
};

}  // namespace

BOOST_DATA_TEST_CASE_F(ConsoleFixture, only_the_page_itself_is_answered,
                       boost::unit_test::data::make(kForeign), row) {
  MadePasskey passkey;
  enrol(passkey, kBob, "Y3JlZA");
  sign_in();
  auto headers = row.headers;
  for (auto& [name, value] : headers) {
    if (value.starts_with("MARK")) value.replace(0, 4, mark);
  }
  headers.emplace_back("cookie", "__Host-chancery=" + cookie);
  const bool reads = std::string_view(row.method) == "GET";
  const Response answer = call(row.method, reads ? "/ui/session" : "/ui/session/challenge", reads ? "" : "{}",
                               std::nullopt, headers);
  BOOST_TEST(answer.status == row.status, answer.body);
}

BOOST_FIXTURE_TEST_CASE(without_its_cookie_nobody_is_anybody, ConsoleFixture) {
  sign_in();
  const std::string good = cookie;
  for (const std::string& bad :
       {std::string(), std::string("x"), good + "x", good.substr(1), std::string(43, 'A')}) {
    cookie = bad;
    BOOST_TEST(page("GET", "/ui/session").status == 401, bad);
    BOOST_TEST(page("GET", "/ui/api/agents").status == 401);
    BOOST_TEST(page("POST", "/ui/decisions", "{}").status == 401);
  }
  cookie = good;
  BOOST_TEST(page("GET", "/ui/api/agents").status == 200);
  // The interface itself knows nothing of cookies.
  BOOST_TEST(call("GET", "/v1/agents", "", std::nullopt, of_page("GET")).status == 401);
}

// --- what may be asked

namespace {

std::string example_of(const rest::Route& route) {
  std::string path(route.pattern);
  if (const auto at = path.find("{name}"); at != std::string::npos) path.replace(at, 6, "support");
  return "/ui/api/" + path.substr(std::string_view("/v1/").size());
}

}  // namespace

// By what is answered, route by route: what only reads, decisions and enrolments; the few acts want a confirmation, and there is nothing else.
BOOST_FIXTURE_TEST_CASE(a_session_reads_and_does_little_else, ConsoleFixture) {
  const std::set<std::string> signed_by_others{"POST /v1/approvals/{name}/decision", "POST /v1/approvers"};
  const std::set<std::string> judged{"POST /v1/chains/explain", "POST /v1/chains/verify", "POST /v1/impact"};
  const std::set<std::string> confirmed{"DELETE /v1/approvals/{name}", "POST /v1/agents/{name}/rotate",
                                        "POST /v1/revocations", "POST /v1/agents/{name}/freeze",
                                        "POST /v1/freeze"};
  sign_in();
  for (const rest::Route& route : rest::routes()) {
    if (!route.pattern.starts_with("/v1/")) continue;
    const std::string name = std::string(route.method) + " " + std::string(route.pattern);
    const Response answer = page(std::string(route.method), example_of(route), "{}");
    const std::string code = member(answer, "code");
    const bool is_anywhere =
        route.listener == rest::Listener::kAny || route.listener == rest::Listener::kPrivileged;
    const bool reads = route.method == "GET" && is_anywhere;
    BOOST_TEST_CONTEXT(name << ": " << answer.status << " " << answer.body.substr(0, 200)) {
      if (reads && (route.scope.empty() || route.scope.ends_with(".read"))) {
        BOOST_TEST((answer.status != 401 && answer.status != 403 && code != "route_unknown"));
      } else if (reads || confirmed.contains(name)) {
        BOOST_TEST(answer.status == 403);
      } else if (signed_by_others.contains(name) || judged.contains(name)) {
        BOOST_TEST((answer.status != 403 && code != "route_unknown" && code != "method_not_allowed"));
      } else {
        BOOST_TEST((code == "route_unknown" || code == "method_not_allowed"));
      }
    }
  }
}

BOOST_FIXTURE_TEST_CASE(an_approver_sees_what_is_to_be_decided_and_no_more, ConsoleFixture) {
  sign_in(kBobUid);
  const Response session = page("GET", "/ui/session");
  BOOST_TEST(member(session, "role") == "approver");
  BOOST_TEST(member(session, "principal") == kBob);
  BOOST_TEST(member(session, "may") ==
             R"(["chancery.approvals.read","chancery.approvers.read","chancery.gates.read"])");
  for (const char* path : {"approvals", "approvers", "gates", "audit/keys"})
    BOOST_TEST(page("GET", std::string("/ui/api/") + path).status == 200, path);
  for (const char* path :
       {"agents", "audit/entries", "overview", "console/agents", "console/audit", "backends", "credentials"})
    BOOST_TEST(page("GET", std::string("/ui/api/") + path).status == 403, path);
  BOOST_TEST(page("POST", "/ui/api/impact", R"({"agent":"support"})").status == 403);
  BOOST_TEST(page("POST", "/ui/api/revocations", R"({"agent":"support"})").status == 403);
  const std::string id = id_of(ask());
  const Response shown = page("GET", "/ui/api/console/approvals/" + id);
  BOOST_TEST(shown.status == 200, shown.body);
}

BOOST_FIXTURE_TEST_CASE(no_salt_of_the_audit_log_is_shown, ConsoleFixture) {
  (void)ask();
  sign_in();
  const auto size = office().audit.book.counts().size;
  for (std::uint64_t number = 1; number <= size; ++number) {
    const Response entry = page("GET", "/ui/api/audit/entries/" + std::to_string(number));
    BOOST_REQUIRE(entry.status == 200);
    BOOST_TEST(member(entry, "salt").empty());
  }
}

// The operator who says so in the console is the operator who says so in the log.
BOOST_FIXTURE_TEST_CASE(entries_say_who_asked, ConsoleFixture) {
  sign_in();
  BOOST_TEST(page("DELETE", "/ui/session").status == 204);
  const auto entries = audit_texts_of(store(), "console.sign_out");
  BOOST_REQUIRE(entries.size() == 1u);
  const std::string caller = of(entries.front(), "caller");
  BOOST_TEST(of(caller, "role") == "operator");
  BOOST_TEST(of(caller, "uid") == std::to_string(kOperatorUid));
  BOOST_TEST(of(caller, "console").size() == 32u);
}

// --- what is counted

BOOST_FIXTURE_TEST_CASE(what_the_console_was_shown_and_turned_away_is_counted, ConsoleFixture) {
  const auto figure = [&](const std::string& name) {
    const std::string text = "\n" + call("GET", "/metrics", "", kSupportUid).body;
    const std::size_t at = text.find("\n" + name + " ");
    BOOST_REQUIRE_MESSAGE(at != std::string::npos, name);
    const std::size_t begin = at + name.size() + 2;
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  const auto sign_ins = [&](const std::string& by, const std::string& outcome) {
    return figure("chancery_console_sign_ins_total{by=\"" + by + "\",outcome=\"" + outcome + "\"}");
  };
  const auto refusals = [&](const std::string& reason) {
    return figure("chancery_console_refusals_total{reason=\"" + reason + "\"}");
  };
  BOOST_TEST(figure("chancery_console_sessions") == "0");
  const MadePasskey passkey;
  enrol(passkey, kBob, "Y3JlZA");
  sign_in();
  BOOST_TEST(exchange("no such link").status == 401);
  BOOST_TEST(sign_ins("link", "accepted") == "1");
  BOOST_TEST(sign_ins("link", "refused") == "1");
  BOOST_TEST(figure("chancery_console_sessions") == "1");
  const Question asked = question_of(page("POST", "/ui/session/challenge", "{}"));
  BOOST_TEST(
      answer_sign_in(asked.id, "b3RoZXI", passkey.sign(MadePasskey::answer_to(asked.challenge))).status ==
      401);
  sign_in_with(passkey, "Y3JlZA");
  BOOST_TEST(sign_ins("passkey", "accepted") == "1");
  BOOST_TEST(sign_ins("passkey", "refused") == "1");
  BOOST_TEST(sign_ins("confirmation", "refused") == "0");
  BOOST_TEST(refusals("may") == "0");
  BOOST_TEST(page("POST", "/ui/api/freeze", R"({"reason":"x"})").status == 403);
  BOOST_TEST(refusals("may") == "1");
  BOOST_TEST(call("GET", "/ui/api/overview", "", std::nullopt).status == 403);
  BOOST_TEST(refusals("foreign") == "1");
  set_now(kNow + std::chrono::minutes(15));
  BOOST_TEST(figure("chancery_console_sessions") == "0");
  BOOST_TEST(page("GET", "/ui/api/overview").status == 401);
  BOOST_TEST(refusals("session") == "1");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
