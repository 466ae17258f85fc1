// What the vault takes, to whom it releases, and what it never says.

#include <algorithm>
#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/service/metrics.hpp"
#include "daemon/store/sqlite.hpp"
#include "sdk/base/base64.hpp"
#include "tests/unit/service/audit_texts.hpp"
#include "tests/unit/service/office_fixture.hpp"

namespace chancery::tests {
namespace {

using rest::Response;
using service::Released;
using service::ReleaseRequest;
using std::chrono::seconds;

constexpr std::string_view kValue = "sk-live-canary-0123456789";
constexpr std::string_view kNext = "sk-live-canary-9876543210";
constexpr std::uint32_t kStranger = 4711;

std::string in_base64(std::string_view value) { return base64_encode(as_bytes(value)); }

std::string put_body(std::string_view value, const std::string& more = "") {
  return R"({"name":"psp","value":")" + in_base64(value) +
         R"(","type":"api_key","scope":"payments.refund","tools":["refund"])" + more + "}";
}

struct VaultFixture : OfficeFixture {
  service::Vault& vault() { return premises().vault; }

  Response put(std::string_view value = kValue, const std::string& more = "") {
    return call("POST", "/v1/credentials", put_body(value, more), kOperatorUid);
  }
  Response put_next(std::string_view value = kNext) {
    return call("POST", "/v1/credentials", R"({"name":"psp","value":")" + in_base64(value) + "\"}",
                kOperatorUid);
  }
  Response act(const std::string& what, const std::string& body = "{}") {
    return call("POST", "/v1/credentials/psp/" + what, body, kOperatorUid);
  }
  Response show() { return call("GET", "/v1/credentials/psp", "", kOperatorUid); }

  static service::Occasion occasion(std::chrono::sys_seconds now = kNow) {
    return {now, std::chrono::steady_clock::now() + seconds(10), nullptr};
  }
  static ReleaseRequest request(const std::string& use = "use-1") {
    return {"psp", "refund", "payments.refund", use, kNow + seconds(60), {}};
  }
  Result<Released> release(const std::string& use = "use-1") {
    return vault().release(request(use), occasion());
  }
  std::string released_value(const std::string& use = "use-1") {
    const auto released = release(use);
    BOOST_REQUIRE_MESSAGE(released, (released ? "" : released.error().what));
    return std::string(as_text(released->value.view()));
  }
  void edit(const char* sql) {
    auto database = store::Database::open(this->database());
    BOOST_REQUIRE(database);
    BOOST_REQUIRE(database->execute(sql));
  }
  std::vector<std::string> entries(const std::string& action) { return audit_texts_of(store(), action); }
  void tick(std::chrono::sys_seconds now = kNow) {
    vault().tick(now, [](const char* what, const Error& error) { BOOST_ERROR(what << ": " << error.what); });
  }
};

ErrorCode code_of(const Result<Released>& released) {
  BOOST_REQUIRE(!released);
  return released.error().code;
}

bool has(std::string_view text, std::string_view what) { return text.find(what) != std::string_view::npos; }

}  // namespace

BOOST_AUTO_TEST_SUITE(vault)

// --- putting

BOOST_FIXTURE_TEST_CASE(what_was_put_is_released_and_never_shown, VaultFixture) {
  const Response made = put();
  BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
  BOOST_TEST(member(made, "name") == "psp");
  BOOST_TEST(has(made.body, R"("state":"active")"));
  for (const Response& answer : {made, show(), call("GET", "/v1/credentials", "", kOperatorUid)}) {
    BOOST_TEST(!has(answer.body, kValue));
    BOOST_TEST(!has(answer.body, in_base64(kValue)));
    BOOST_TEST(!has(answer.body, "value"));
  }
  BOOST_TEST(released_value() == kValue);
}

BOOST_FIXTURE_TEST_CASE(a_value_stands_in_no_audit_entry_and_is_redacted, VaultFixture) {
  put();
  released_value();
  for (const std::string& entry : audit_texts(store())) BOOST_TEST(!has(entry, kValue));
  const std::string said =
      office().redactor->text("it was " + std::string(kValue) + " and " + in_base64(kValue));
  BOOST_TEST(!has(said, kValue));
  BOOST_TEST(!has(said, in_base64(kValue).substr(0, 20)));
}

BOOST_FIXTURE_TEST_CASE(the_body_with_the_value_is_cleansed_once_it_is_answered, VaultFixture) {
  rest::Request request;
  request.method = "POST";
  request.path = "/v1/credentials";
  request.body = put_body(kValue);
  request.headers.emplace_back("content-type", "application/json");
  request.peer.transport = rest::Transport::kUnix;
  request.peer.credentials.emplace().uid = kOperatorUid;
  request.id = "req-1";
  request.received_at = kNow;
  request.deadline = std::chrono::steady_clock::now() + seconds(10);
  const char* const where = request.body.data();
  const std::size_t size = request.body.size();
  BOOST_TEST(router().handle(request).status == 201);
  BOOST_TEST(request.body.empty());
  BOOST_TEST((std::string_view(where, size) == std::string(size, '\0')));
}

struct BadPut {
  const char* what;
  std::string body;
  int status;
};
std::ostream& operator<<(std::ostream& out, const BadPut& row) { return out << row.what; }

const std::string kB64 = in_base64(kValue);
const BadPut kBadPuts[] = {
    {"no JSON", "{", 400},
    {"no name", R"({"value":")" + kB64 + R"(","type":"api_key","scope":"a.b","tools":["t"]})", 400},
    {"no value", R"({"name":"a","type":"api_key","scope":"a.b","tools":["t"]})", 400},
    {"value that is no base64",
     R"({"name":"a","value":"sk-live!","type":"api_key","scope":"a.b","tools":["t"]})", 400},
    {"value of three octets", R"({"name":"a","value":"YWJj","type":"api_key","scope":"a.b","tools":["t"]})",
     400},
    {"no type", R"({"name":"a","value":")" + kB64 + R"(","scope":"a.b","tools":["t"]})", 400},
    {"unknown type", R"({"name":"a","value":")" + kB64 + R"(","type":"x","scope":"a.b","tools":["t"]})", 400},
    {"no scope", R"({"name":"a","value":")" + kB64 + R"(","type":"api_key","tools":["t"]})", 400},
    {"no tool", R"({"name":"a","value":")" + kB64 + R"(","type":"api_key","scope":"a.b"})", 400},
    {"tool that is no name",
     R"({"name":"a","value":")" + kB64 + R"(","type":"api_key","scope":"a.b","tools":["a b"]})", 400},
    {"name that is none",
     R"({"name":"A B","value":")" + kB64 + R"(","type":"api_key","scope":"a.b","tools":["t"]})", 400},
    {"past expiry",
     R"({"name":"a","value":")" + kB64 +
         R"(","type":"api_key","scope":"a.b","tools":["t"],"expires_at":1800000000})",
     400},
    {"unknown member",
     R"({"name":"a","secret":")" + kB64 + R"(","type":"api_key","scope":"a.b","tools":["t"]})", 400},
};

BOOST_DATA_TEST_CASE_F(VaultFixture, a_put_that_is_none_is_refused_without_a_word_of_it,
                       boost::unit_test::data::make(kBadPuts), row) {
  const Response refused = call("POST", "/v1/credentials", row.body, kOperatorUid);
  BOOST_TEST(refused.status == row.status, refused.body);
  BOOST_TEST(!has(refused.body, kB64));
  BOOST_TEST(!has(refused.body, "sk-live"));
  const auto recorded = entries("credential.put");
  BOOST_REQUIRE(recorded.size() == 1U);
  BOOST_TEST(!has(recorded.front(), kB64));
  BOOST_TEST(call("GET", "/v1/credentials/a", "", kOperatorUid).status == 404);
}

BOOST_FIXTURE_TEST_CASE(a_value_of_four_octets_is_the_shortest_and_of_16_kib_the_longest, VaultFixture) {
  BOOST_TEST(put("abcd").status == 201);
  BOOST_TEST(act("rotate", R"({"value":")" + in_base64(std::string(16384, 'x')) + "\"}").status == 200);
  BOOST_TEST(act("rotate", R"({"value":")" + in_base64(std::string(16385, 'x')) + "\"}").status == 400);
}

BOOST_FIXTURE_TEST_CASE(a_second_value_waits_until_it_is_activated, VaultFixture) {
  put();
  const Response second = put_next();
  BOOST_TEST(second.status == 201, second.body);
  BOOST_TEST(has(second.body, R"("state":"pending")"));
  BOOST_TEST(released_value("u1") == kValue);
  BOOST_TEST(act("activate").status == 200);
  BOOST_TEST(released_value("u2") == kNext);
  BOOST_TEST(act("activate").status == 409);
}

BOOST_FIXTURE_TEST_CASE(a_rotation_releases_the_next_value_at_once, VaultFixture) {
  put();
  BOOST_TEST(act("rotate", R"({"value":")" + in_base64(kNext) + "\"}").status == 200);
  BOOST_TEST(released_value() == kNext);
  BOOST_TEST(entries("credential.rotate").size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(who_puts_a_value_does_not_change_whom_it_is_for, VaultFixture) {
  put();
  const Response other =
      call("POST", "/v1/credentials",
           R"({"name":"psp","value":")" + in_base64(kNext) + R"(","tools":["exfiltrate"]})", kOperatorUid);
  BOOST_TEST(other.status == 409, other.body);
  BOOST_TEST(put(kNext).status == 201);  // the same description
}

BOOST_FIXTURE_TEST_CASE(after_everything_was_revoked_a_value_is_active_at_once, VaultFixture) {
  put();
  BOOST_TEST(call("DELETE", "/v1/credentials/psp", "", kOperatorUid).status == 200);
  BOOST_TEST((code_of(release()) == ErrorCode::kNotFound));
  BOOST_TEST(call("DELETE", "/v1/credentials/psp", "", kOperatorUid).status == 409);
  BOOST_TEST(put_next().status == 201);
  BOOST_TEST(released_value() == kNext);
}

BOOST_FIXTURE_TEST_CASE(one_version_is_revoked_and_the_others_stay, VaultFixture) {
  put();
  put_next();
  BOOST_TEST(act("revoke", R"({"version":2})").status == 200);
  BOOST_TEST(released_value() == kValue);
  BOOST_TEST(act("revoke", R"({"version":3})").status == 404);
  BOOST_TEST(act("revoke", R"({"version":0})").status == 400);
}

BOOST_FIXTURE_TEST_CASE(a_change_says_anew_whom_it_is_for_and_keeps_the_values, VaultFixture) {
  put();
  put_next();
  const Response changed = act("change", R"({"tools":["lookup"],"scope":"crm.read","owner":"crm"})");
  BOOST_TEST(changed.status == 200, changed.body);
  BOOST_TEST((code_of(release()) == ErrorCode::kForbidden));
  ReleaseRequest anew = request();
  anew.tool = "lookup";
  anew.scope = "crm.read";
  const auto released = vault().release(anew, occasion());
  BOOST_REQUIRE(released);
  BOOST_TEST(as_text(released->value.view()) == kValue);
  BOOST_TEST(act("activate").status == 200);
  BOOST_TEST(act("change", R"({"tools":[]})").status == 400);
  BOOST_TEST(act("change", R"({"type":"x"})").status == 400);
}

BOOST_FIXTURE_TEST_CASE(only_who_has_authority_does_any_of_it, VaultFixture) {
  put();
  constexpr std::array<std::array<const char*, 3>, 9> kAll{{
      {"GET", "/v1/credentials", ""},
      {"POST", "/v1/credentials", R"({"name":"a","value":"c2VjcmV0"})"},
      {"GET", "/v1/credentials/psp", ""},
      {"DELETE", "/v1/credentials/psp", ""},
      {"POST", "/v1/credentials/psp/activate", "{}"},
      {"POST", "/v1/credentials/psp/change", "{}"},
      {"POST", "/v1/credentials/psp/revoke", R"({"version":1})"},
      {"POST", "/v1/credentials/psp/rotate", R"({"value":"c2VjcmV0"})"},
      {"POST", "/v1/vault/reset", R"({"confirm":"forget all credentials"})"},
  }};
  for (const auto& [method, path, body] : kAll) {
    const Response refused = call(method, path, body, kStranger);
    BOOST_TEST(refused.status == 403, method << " " << path << ": " << refused.body);
  }
  BOOST_TEST(released_value() == kValue);
}

// Whoever may put nothing does not decide what is left out of logs either.
BOOST_FIXTURE_TEST_CASE(a_strangers_value_is_not_redacted, VaultFixture) {
  BOOST_TEST(call("POST", "/v1/credentials", put_body("ordinary-word"), kStranger).status == 403);
  BOOST_TEST(office().redactor->text("an ordinary-word") == "an ordinary-word");
}

// --- releasing

struct Refused {
  const char* what;
  void (*edit)(ReleaseRequest& request);
  ErrorCode code;
};
std::ostream& operator<<(std::ostream& out, const Refused& row) { return out << row.what; }

const Refused kRefusals[] = {
    {"another tool", [](ReleaseRequest& r) { r.tool = "exfiltrate"; }, ErrorCode::kForbidden},
    {"the tool's name in other letters", [](ReleaseRequest& r) { r.tool = "Refund"; }, ErrorCode::kForbidden},
    {"no tool", [](ReleaseRequest& r) { r.tool = ""; }, ErrorCode::kForbidden},
    {"another scope", [](ReleaseRequest& r) { r.scope = "payments.read"; }, ErrorCode::kForbidden},
    {"a wider scope", [](ReleaseRequest& r) { r.scope = "payments.*"; }, ErrorCode::kForbidden},
    {"no scope", [](ReleaseRequest& r) { r.scope = ""; }, ErrorCode::kForbidden},
    {"another credential", [](ReleaseRequest& r) { r.credential = "psq"; }, ErrorCode::kNotFound},
};

BOOST_DATA_TEST_CASE_F(VaultFixture, a_release_is_for_the_tool_and_the_scope_alone,
                       boost::unit_test::data::make(kRefusals), row) {
  put();
  ReleaseRequest wanted = request();
  row.edit(wanted);
  BOOST_TEST((code_of(vault().release(wanted, occasion())) == row.code));
  BOOST_TEST(entries("credential.release").empty());
  BOOST_TEST(has(show().body, R"("uses":0)"));
}

BOOST_FIXTURE_TEST_CASE(an_expired_value_is_released_to_nobody, VaultFixture) {
  put(kValue, R"(,"expires_at":1800000060)");
  BOOST_TEST(vault().release(request("u1"), occasion(kNow + seconds(59))).has_value());
  BOOST_TEST((code_of(vault().release(request("u2"), occasion(kNow + seconds(60)))) == ErrorCode::kRetired));
}

BOOST_FIXTURE_TEST_CASE(a_release_is_recorded_with_whose_call_it_is, VaultFixture) {
  put();
  ReleaseRequest wanted = request("use-7");
  wanted.facts.agent = "support";
  wanted.facts.ids.emplace_back("decision", "d-1");
  BOOST_REQUIRE(vault().release(wanted, occasion()));
  const auto recorded = entries("credential.release");
  BOOST_REQUIRE(recorded.size() == 1U);
  for (const char* part : {R"("agent":"support")", R"("decision":"d-1")", R"("use":"use-7")",
                           R"("tool":"refund")", R"("credential":"psp")", R"("version":1)"}) {
    BOOST_TEST(has(recorded.front(), part), part);
  }
}

BOOST_FIXTURE_TEST_CASE(a_use_is_released_for_once, VaultFixture) {
  put();
  released_value("u1");
  BOOST_TEST((code_of(release("u1")) == ErrorCode::kConflict));
  BOOST_TEST(entries("credential.release").size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(an_older_copy_releases_nothing_until_it_is_accepted, VaultFixture) {
  put();
  make_own_keys();
  BOOST_REQUIRE(counter().advance({}));
  spending().tick(kNow + std::chrono::minutes(10));
  BOOST_TEST((code_of(release()) == ErrorCode::kSpendingHalted));
  BOOST_TEST(call("DELETE", "/v1/credentials/psp", "", kOperatorUid).status == 200);
}

struct DatabaseEdit {
  const char* sql;
};
std::ostream& operator<<(std::ostream& out, const DatabaseEdit& row) { return out << row.sql; }

constexpr DatabaseEdit kDatabaseEdits[] = {
    {"UPDATE credentials SET tools = '[\"refund\",\"x\"]' WHERE name = 'psp'"},
    {"UPDATE credentials SET scope = 'payments.*' WHERE name = 'psp'"},
    {"UPDATE credentials SET owner = 'x' WHERE name = 'psp'"},
    {"UPDATE credential_versions SET expires_at = 9999999999"},
    {"UPDATE credential_versions SET value = (SELECT value FROM credential_versions v JOIN credentials c ON c.id = "
     "v.credential WHERE c.name = 'other') WHERE credential = (SELECT id FROM credentials WHERE name = 'psp')"},
    {"UPDATE credential_versions SET (data_key, value) = (SELECT data_key, value FROM credential_versions v JOIN "
     "credentials c ON c.id = v.credential WHERE c.name = 'other') WHERE credential = (SELECT id FROM credentials "
     "WHERE name = 'psp')"},
};

BOOST_DATA_TEST_CASE_F(VaultFixture, a_record_that_another_hand_changed_releases_nothing,
                       boost::unit_test::data::make(kDatabaseEdits), row) {
  put();
  call("POST", "/v1/credentials",
       R"({"name":"other","value":")" + in_base64(kNext) +
           R"(","type":"api_key","scope":"payments.refund","tools":["refund"]})",
       kOperatorUid);
  edit(row.sql);
  BOOST_TEST((code_of(release()) == ErrorCode::kStoreCorrupt));
  BOOST_TEST(entries("credential.release").empty());
}

// --- the device

BOOST_FIXTURE_TEST_CASE(after_a_restart_a_release_waits_for_the_device, VaultFixture) {
  put();
  service::Vault restarted(*premises().books.vault, premises().backends, spending(), "memory",
                           std::make_shared<telemetry::Redactor>());
  device().fail_with(Error{ErrorCode::kDeviceUnavailable, "away"});
  BOOST_TEST((code_of(restarted.release(request(), occasion())) == ErrorCode::kDeviceUnavailable));
  device().fail_with(std::nullopt);
  BOOST_TEST(restarted.release(request(), occasion()).has_value());
}

BOOST_FIXTURE_TEST_CASE(a_daemon_that_was_started_again_redacts_what_it_releases, VaultFixture) {
  put();
  const auto redactor = std::make_shared<telemetry::Redactor>();
  service::Vault restarted(*premises().books.vault, premises().backends, spending(), "memory", redactor);
  BOOST_REQUIRE(restarted.release(request(), occasion()));
  BOOST_TEST(!has(redactor->text("a " + std::string(kValue)), kValue));
}

BOOST_FIXTURE_TEST_CASE(a_device_that_is_gone_is_followed_by_a_reset, VaultFixture) {
  put();
  device().exchange_device();
  BOOST_REQUIRE(device().adopt([](ByteView) { return Status(); }));
  service::Vault restarted(*premises().books.vault, premises().backends, spending(), "memory",
                           std::make_shared<telemetry::Redactor>());
  BOOST_TEST((code_of(restarted.release(request(), occasion())) == ErrorCode::kKeyLost));
  for (const char* body : {"{}", R"({"confirm":"yes"})", R"({"confirm":true})"})
    BOOST_TEST(call("POST", "/v1/vault/reset", body, kOperatorUid).status == 400);
  const Response reset =
      call("POST", "/v1/vault/reset", R"({"confirm":"forget all credentials"})", kOperatorUid);
  BOOST_TEST(reset.status == 200, reset.body);
  BOOST_TEST(member(reset, "versions") == "1");
  BOOST_TEST(std::ranges::count_if(entries("vault.reset"), [](const std::string& entry) {
               return has(entry, R"("outcome":"done")");
             }) == 1);
  BOOST_TEST((code_of(release()) == ErrorCode::kNotFound));
  BOOST_TEST(put_next().status == 201);
  BOOST_TEST(released_value() == kNext);
}

// --- rotation

BOOST_FIXTURE_TEST_CASE(a_former_value_ends_when_nothing_uses_it, VaultFixture) {
  put();
  released_value("u1");
  put_next();
  BOOST_TEST(act("activate").status == 200);
  tick();
  BOOST_TEST(has(show().body, R"("state":"retiring")"));
  BOOST_REQUIRE(vault().end_use("u1"));
  tick();
  BOOST_TEST(!has(show().body, R"("state":"retiring")"));
  BOOST_TEST(entries("credential.retire").size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_former_value_ends_with_its_time, VaultFixture) {
  put();
  ReleaseRequest endless = request();
  endless.until = kNow + std::chrono::hours(100);
  BOOST_REQUIRE(vault().release(endless, occasion()));
  put_next();
  BOOST_TEST(act("activate", R"({"drain_s":30})").status == 200);
  tick(kNow + seconds(29));
  BOOST_TEST(has(show().body, R"("state":"retiring")"));
  tick(kNow + seconds(30));
  BOOST_TEST(!has(show().body, R"("state":"retiring")"));
}

// Eight callers release and end without a pause while the value is put, activated and the former one revoked, twenty
// times. None of them is refused, and each gets a value that was active when it asked or later.
BOOST_FIXTURE_TEST_CASE(a_rotation_fails_no_call, VaultFixture) {
  constexpr int kCallers = 8;
  constexpr int kRotations = 20;
  put("value-number-0");
  std::atomic<bool> is_over = false;
  std::atomic<int> failed = 0, strange = 0, released = 0;
  {
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < kCallers; ++caller) {
      callers.emplace_back([&, caller] {
        for (int i = 0; !is_over; ++i) {
          const std::string use = std::to_string(caller) + "-" + std::to_string(i);
          const auto got = vault().release(request(use), occasion());
          if (got) strange += as_text(got->value.view()).starts_with("value-number-") ? 0 : 1;
          failed += got && vault().end_use(use) ? 0 : 1;
          ++released;
        }
      });
    }
    for (int rotation = 1; rotation <= kRotations; ++rotation) {
      const int before = released;
      const std::string value = "value-number-" + std::to_string(rotation);
      BOOST_TEST(put_next(value).status == 201);
      BOOST_TEST(act("activate").status == 200);
      const auto is_retiring = [&] { return has(show().body, R"("state":"retiring")"); };
      while (is_retiring()) tick();
      while (released < before + kCallers) std::this_thread::yield();
    }
    is_over = true;
  }
  BOOST_TEST(failed == 0);
  BOOST_TEST(strange == 0);
  BOOST_TEST(released >= kCallers * kRotations);
  BOOST_TEST(released_value("last") == "value-number-20");
}

// --- figures

BOOST_FIXTURE_TEST_CASE(metrics_tell_versions_releases_and_the_oldest_value, VaultFixture) {
  put();
  put_next();
  released_value();
  BOOST_TEST(!vault().release({"psp", "x", "payments.refund", "u9", kNow, {}}, occasion()));
  const std::string text = telemetry::exposition(service::metrics(office(), kNow + seconds(90)));
  for (const char* line : {R"(chancery_credential_versions{state="active"} 1)",
                           R"(chancery_credential_versions{state="pending"} 1)",
                           R"(chancery_credential_releases_total{outcome="released"} 1)",
                           R"(chancery_credential_releases_total{outcome="refused"} 1)",
                           "chancery_credential_oldest_age_seconds 90"}) {
    BOOST_TEST(has(text, line), line);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
