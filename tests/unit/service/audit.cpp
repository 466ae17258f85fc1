// What stands in the audit log: every attempt, decision and effect, in one form, found by what it names.

#include <array>
#include <fstream>
#include <iterator>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/service/audit_entry.hpp"
#include "sdk/audit/checkpoint.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/wire/audit_messages.hpp"
#include "tests/unit/service/audit_fixture.hpp"
#include "tests/unit/service/chain_callers.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;
using rest::Response;

constexpr std::uint32_t kStrangerUid = 4711;

}  // namespace

BOOST_AUTO_TEST_SUITE(audit_log)

// --- entries

BOOST_FIXTURE_TEST_CASE(a_grant_says_who_called_for_whom_and_what_was_given, AuditFixture) {
  budget_chain();
  const Entry entry = last();
  BOOST_TEST(entry.is_canonical());
  BOOST_TEST(entry["v"] == "1");
  BOOST_TEST(entry["action"] == "token.grant");
  BOOST_TEST(entry["outcome"] == "done");
  BOOST_TEST(entry["at"] == std::to_string(kNow.time_since_epoch().count()));
  BOOST_TEST(entry["caller.uid"] == std::to_string(kOperatorUid));
  BOOST_TEST(entry["principal"] == "user:alice@example.org");
  BOOST_TEST(entry["agent"] == "orchestrator");
  BOOST_TEST(entry["request_id"] == "req-1");
  BOOST_TEST(entry["details.authority.scopes"] == R"(["crm.*","payments.refund"])");
  BOOST_TEST(entry["ids.token"].size() == 64u);
  BOOST_TEST(entry["ids.key"].size() == 43u);
  for (const char* reference : {"principal", "agent", "request_id", "ids.token", "ids.key"}) {
    const std::vector<std::uint64_t> found = with_ref(entry[reference]);
    BOOST_TEST((std::ranges::find(found, entry.number()) != found.end()), reference);
  }
}

BOOST_FIXTURE_TEST_CASE(a_decision_leads_back_to_the_grant_by_tokens, AuditFixture) {
  const std::string root = budget_chain();
  const std::string granted = last()["ids.token"];
  const std::string chain = delegated(root, "support", kOrchestratorUid);
  const Entry delegation = last();
  BOOST_TEST(delegation["action"] == "token.delegate");
  BOOST_TEST(delegation["agent"] == "support");
  BOOST_TEST(delegation["ids.parent"] == granted);
  const Response permitted = ask_refund(chain, kSupportUid, "12.5");
  BOOST_REQUIRE_MESSAGE(permitted.status == 200, permitted.body);
  const Entry decision = last();
  BOOST_TEST(decision["action"] == "action.authorize");
  BOOST_TEST(decision["outcome"] == "permit");
  BOOST_TEST(decision["ids.decision"] == member(permitted, "decision_id"));
  BOOST_TEST(decision["ids.token"] == delegation["ids.token"]);
  BOOST_TEST(decision["principal"] == "user:alice@example.org");
  BOOST_TEST(with_ref(member(permitted, "decision_id")) == std::vector{decision.number()});
}

BOOST_FIXTURE_TEST_CASE(parameters_are_salted_hashes_that_the_operator_can_open, AuditFixture) {
  const std::string chain = delegated(budget_chain(), "support", kOrchestratorUid);
  const Response permitted = ask_refund(chain, kSupportUid, "12.5");
  const Entry entry = last();
  BOOST_TEST(entry.json().find("12.5") == std::string::npos);
  const std::string plain = hex_encode(sha256(as_bytes(R"({"amount":12.5})")));
  BOOST_TEST(entry["details.params"].size() == 64u);
  BOOST_TEST(entry["details.params"] != plain);
  const Response shown = call("GET", "/v1/audit/entries/" + std::to_string(entry.number()), "", kOperatorUid);
  BOOST_REQUIRE_MESSAGE(shown.status == 200, shown.body);
  const auto proved = wire::read_proved_audit_entry(shown.body);
  BOOST_REQUIRE(proved);
  BOOST_TEST(proved->salt.size() == 32u);
  BOOST_TEST(hex_encode(hmac_sha256(proved->salt, as_bytes(R"({"amount":12.5})"))) ==
             entry["details.params"]);
  BOOST_TEST(proved->entry.json == entry.json());
  // What has no parameters has no salt.
  const Response first = call("GET", "/v1/audit/entries/1", "", kOperatorUid);
  BOOST_TEST(wire::read_proved_audit_entry(first.body)->salt.empty());
}

BOOST_FIXTURE_TEST_CASE(a_denial_says_outcome_step_and_hop, AuditFixture) {
  const std::string chain = delegated(budget_chain(), "support", kOrchestratorUid);
  const Response denied = ask_refund(chain, kSupportUid, "1000");
  BOOST_REQUIRE_MESSAGE(denied.status == 200, denied.body);
  const Entry entry = last();
  BOOST_TEST(entry["action"] == "action.authorize");
  BOOST_TEST(entry["outcome"] == "deny");
  BOOST_TEST(entry["details.denial"] == "ceiling_exceeded");
  BOOST_TEST(!entry["details.step"].empty());
}

BOOST_FIXTURE_TEST_CASE(a_parent_chain_that_denies_a_delegation_is_recorded_with_outcome_step_and_hop,
                        AuditFixture) {
  const std::string root = budget_chain();
  const std::string token = last()["ids.token"];
  set_now(kNow + 1h);
  const Response refused =
      call("POST", "/v1/delegations", R"({"chain":)" + root + R"(,"to":"support","scopes":["crm.read"]})",
           kOrchestratorUid);
  BOOST_TEST(refused.status == 403);
  const Entry entry = last();
  BOOST_TEST(entry["action"] == "token.delegate");
  BOOST_TEST(entry["outcome"] == "refused");
  BOOST_TEST(entry["agent"] == "support");
  BOOST_TEST(entry["details.error"] == "parent_denied");
  BOOST_TEST(entry["details.denial"] == "expired");
  BOOST_TEST(!entry["details.step"].empty());
  BOOST_TEST(entry["hop"] == "0");
  BOOST_TEST(entry["ids.parent"] == token);
}

// One form for all of them, whatever they are about.
void expect_form(const Entry& entry) {
  const std::string& json = entry.json();
  BOOST_TEST(entry.is_canonical(), json);
  BOOST_TEST(entry["v"] == "1", json);
  for (const char* name : {"action", "at", "caller", "details", "ids", "outcome"})
    BOOST_TEST(!entry[name].empty(), json);
  constexpr std::array kOutcomes{"done", "permit", "deny", "refused", "failed"};
  BOOST_TEST((std::ranges::find(kOutcomes, entry["outcome"]) != kOutcomes.end()), json);
  BOOST_TEST(entry["policy"] == "0123456789abcdef", json);
  const bool is_own = entry["caller"] == "null" && entry["request_id"].empty();
  BOOST_TEST((is_own || entry["request_id"] == "req-1"), json);
  BOOST_TEST(json.find("eyJ") == std::string::npos, json);  // no token, no proof
}

BOOST_FIXTURE_TEST_CASE(every_entry_has_the_one_form_and_is_found_by_all_that_it_names, AuditFixture) {
  premises().books.audit->govern_by("0123456789abcdef");
  const std::uint64_t before = size();
  make_own_keys();
  const auto post = [&](const char* path, const std::string& body, std::uint32_t uid = kOperatorUid) {
    return call("POST", path, body, uid);
  };
  const std::string chain = delegated(budget_chain(), "support", kOrchestratorUid);
  const Response reserved = ask_refund(chain, kSupportUid, "5", R"(,"reserve_s":60)");
  const std::string decision = "/v1/decisions/" + member(reserved, "decision_id");
  BOOST_TEST(post((decision + "/settle").c_str(), R"({"amounts":{"amount":4}})").status == 200);
  const Response again = ask_refund(chain, kSupportUid, "5", R"(,"reserve_s":60)");
  BOOST_TEST(post(("/v1/decisions/" + member(again, "decision_id") + "/release").c_str(), "").status == 200);
  BOOST_TEST(post("/v1/suspensions", R"({"principal":"user:b"})").status == 201);
  BOOST_TEST(post("/v1/suspensions/1/lift", "").status == 200);
  BOOST_TEST(post("/v1/drills", R"({"agent":"lookup","window_s":5})").status == 201);
  BOOST_TEST(post("/v1/revocations", R"({"agent":"lookup","reason":"over"})").status == 201);
  for (const char* path : {"/v1/agents/support/rotate", "/v1/issuer/rotate", "/v1/status-keys/rotate",
                           "/v1/attestation/keys/rotate", "/v1/audit/keys/rotate"}) {
    BOOST_TEST(post(path, "{}").status == 200, path);
  }
  BOOST_TEST(call("DELETE", "/v1/agents/lookup", "", kOperatorUid).status == 200);
  BOOST_TEST(post("/v1/budget/accept", "").status == 200);
  BOOST_TEST(post("/v1/grants", "{}", kStrangerUid).status == 400);
  ChainCallers(*this);
  spending().tick(kNow + 600s);

  std::set<std::string> actions;
  for (const Entry& entry : since(before)) {
    expect_form(entry);
    actions.insert(entry["action"]);
    const auto document = json::Document::parse(entry.json());
    std::vector<std::string> named{entry["principal"], entry["agent"], entry["session"], entry["request_id"]};
    for (const auto& [name, value] : document->root().find("ids")->members())
      named.emplace_back(value.string().value_or(""));
    for (const std::string& identifier : named) {
      if (identifier.empty()) continue;
      const std::vector<std::uint64_t> found = with_ref(identifier);
      BOOST_TEST((std::ranges::find(found, entry.number()) != found.end()), entry.json());
    }
  }
  const std::set<std::string> expected{
      "action.authorize",  "agent.retire",      "attestation_key.create", "attestation_key.rotate",
      "audit_key.rotate",  "budget.accept",     "counter.advance",        "drill.start",
      "issuer_key.create", "issuer_key.rotate", "key.destroyed",          "key.rotate",
      "operator.create",   "proof.create",      "reservation.release",    "reservation.settle",
      "status_key.create", "status_key.rotate", "token.delegate",         "token.grant",
      "token.lift",        "token.revoke",      "token.suspend"};
  BOOST_TEST(actions == expected, boost::test_tools::per_element());
}

// A page that people look actions up in.
BOOST_AUTO_TEST_CASE(the_page_has_every_action_that_a_route_is_refused_as) {
  std::ifstream page(CHANCERY_SOURCE_DIR "/docs/protocol/audit.md");
  const std::string text(std::istreambuf_iterator<char>(page), {});
  for (const rest::Route& route : rest::routes()) {
    if (route.action.empty() || route.action.ends_with("_key.rotate")) continue;  // five in one row
    BOOST_TEST(text.find("`" + std::string(route.action) + "`") != std::string::npos, route.action);
  }
}

// --- attempts

struct RefusedAttempt {
  const char* method;
  const char* path;
  const char* body;
  const char* action;
  const char* error;
};
std::ostream& operator<<(std::ostream& out, const RefusedAttempt& row) {
  return out << row.method << " " << row.path << " " << row.error;
}

constexpr std::array kRefusedAttempts{
    RefusedAttempt{"POST", "/v1/agents", R"({"name":"x","selectors":{"uid":1}})", "agent.create",
                   "forbidden"},
    RefusedAttempt{"POST", "/v1/agents", "{", "agent.create", "malformed"},
    RefusedAttempt{"DELETE", "/v1/agents/support", "", "agent.retire", "forbidden"},
    RefusedAttempt{"POST", "/v1/agents/support/freeze", "{}", "agent.freeze", "forbidden"},
    RefusedAttempt{"POST", "/v1/agents/support/rotate", "{}", "key.rotate", "forbidden"},
    RefusedAttempt{"POST", "/v1/agents/support/unfreeze", "{}", "agent.unfreeze", "forbidden"},
    RefusedAttempt{"POST", "/v1/freeze", "{}", "freeze.all", "forbidden"},
    RefusedAttempt{"POST", "/v1/freeze/arm", "{}", "freeze.arm", "forbidden"},
    RefusedAttempt{"POST", "/v1/freeze/lift", "{}", "freeze.lift", "forbidden"},
    RefusedAttempt{"POST", "/v1/agents/support/reenroll", "{}", "key.reenroll", "forbidden"},
    RefusedAttempt{"POST", "/v1/attestation/challenge", R"({"host":"h"})", "attestation.challenge",
                   "forbidden"},
    RefusedAttempt{"POST", "/v1/attestation/hosts/h/approve", R"({"custody":"tpm-certified"})",
                   "host.approve", "forbidden"},
    RefusedAttempt{"DELETE", "/v1/attestation/hosts/h", "", "host.remove", "forbidden"},
    RefusedAttempt{"POST", "/v1/attestation/keys/rotate", "{}", "attestation_key.rotate", "forbidden"},
    RefusedAttempt{"POST", "/v1/audit/checkpoints", "", "audit.checkpoint", "forbidden"},
    RefusedAttempt{"POST", "/v1/audit/keys/rotate", "{}", "audit_key.rotate", "forbidden"},
    RefusedAttempt{"POST", "/v1/backends/memory/adopt", "", "backend.adopt", "forbidden"},
    RefusedAttempt{"POST", "/v1/budget/accept", "", "budget.accept", "forbidden"},
    RefusedAttempt{"POST", "/v1/decisions/d/settle", R"({"amounts":{}})", "reservation.settle", "forbidden"},
    RefusedAttempt{"POST", "/v1/decisions/d/release", "", "reservation.release", "forbidden"},
    RefusedAttempt{"POST", "/v1/delegations", R"({"chain":"a.b.c","to":"support","scopes":["a.b"]})",
                   "token.delegate", "parent_denied"},
    RefusedAttempt{"POST", "/v1/drills", R"({"agent":"support","window_s":5})", "drill.start", "forbidden"},
    RefusedAttempt{
        "POST", "/v1/grants",
        R"({"principal":"user:a","agent":"support","audience":"a","scopes":["crm.read"],"lifetime_s":60})",
        "token.grant", "forbidden"},
    RefusedAttempt{"POST", "/v1/issuer/rotate", "{}", "issuer_key.rotate", "forbidden"},
    RefusedAttempt{"POST", "/v1/operators",
                   R"({"name":"x","jkt":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"})", "operator.create",
                   "forbidden"},
    RefusedAttempt{"POST", "/v1/proofs", R"({"chain":"a.b.c","htm":"GET","htu":"https://a/"})",
                   "proof.create", "parent_denied"},
    RefusedAttempt{"POST", "/v1/revocations", R"({"agent":"support"})", "token.revoke", "forbidden"},
    RefusedAttempt{"POST", "/v1/status-keys/rotate", "{}", "status_key.rotate", "forbidden"},
    RefusedAttempt{"POST", "/v1/suspensions", R"({"agent":"support"})", "token.suspend", "forbidden"},
    RefusedAttempt{"POST", "/v1/suspensions/1/lift", "", "token.lift", "forbidden"},
};

BOOST_DATA_TEST_CASE_F(AuditFixture, what_is_refused_is_recorded_once,
                       boost::unit_test::data::make(kRefusedAttempts), row) {
  const std::uint64_t before = size();
  const Response refused = call(row.method, row.path, row.body, kStrangerUid);
  BOOST_TEST(refused.status >= 400);
  BOOST_TEST(member(refused, "code") == row.error);
  const std::vector<Entry> entries = since(before);
  BOOST_REQUIRE_EQUAL(entries.size(), 1u);
  BOOST_TEST(entries[0]["action"] == row.action);
  BOOST_TEST(entries[0]["outcome"] == "refused");
  BOOST_TEST(entries[0]["caller.uid"] == std::to_string(kStrangerUid));
  BOOST_TEST(entries[0]["request_id"] == "req-1");
  BOOST_TEST(entries[0]["details.error"] == row.error);
}

// Every route that changes or issues something says as what a refusal of it stands in the log.
BOOST_AUTO_TEST_CASE(only_what_reads_is_not_recorded) {
  const std::vector<std::string_view> reads{
      "/v1/chains/explain", "/v1/chains/verify", "/v1/impact", "/v1/introspect",
      // what a passkey is to sign; what comes of the signature is recorded
      "/ui/authorizations", "/ui/confirmations", "/ui/decisions", "/ui/passkeys", "/ui/passkeys/options",
      "/ui/session/challenge"};
  for (const rest::Route& route : rest::routes()) {
    const bool only_reads = route.method == "GET" || std::ranges::find(reads, route.pattern) != reads.end();
    BOOST_TEST(route.action.empty() == only_reads, route.method << " " << route.pattern);
  }
}

BOOST_FIXTURE_TEST_CASE(what_only_reads_is_not_recorded_when_it_is_refused, AuditFixture) {
  const std::uint64_t before = size();
  BOOST_TEST(call("GET", "/v1/audit/entries", "", kStrangerUid).status == 403);
  BOOST_TEST(call("GET", "/v1/agents", "", kStrangerUid).status == 403);
  BOOST_TEST(call("POST", "/v1/impact", R"({"agent":"support"})", kStrangerUid).status == 403);
  BOOST_TEST(size() == before);
}

BOOST_FIXTURE_TEST_CASE(what_is_found_on_the_way_does_not_stand_for_the_attempt, AuditFixture) {
  const std::string root = budget_chain();
  device().fail_with(Error{ErrorCode::kKeyLost, "gone"});
  const std::uint64_t before = size();
  const Response refused =
      call("POST", "/v1/delegations", R"({"chain":)" + root + R"(,"to":"support","scopes":["crm.read"]})",
           kOrchestratorUid);
  BOOST_TEST(member(refused, "code") == "key_lost");
  const std::vector<Entry> entries = since(before);
  BOOST_REQUIRE_EQUAL(entries.size(), 2u);
  BOOST_TEST(entries[0]["action"] == "key.lost");
  BOOST_TEST(entries[1]["action"] == "token.delegate");
  BOOST_TEST(entries[1]["outcome"] == "refused");
  BOOST_TEST(entries[1]["details.error"] == "key_lost");
}

// --- floods

BOOST_FIXTURE_TEST_CASE(who_proves_nothing_does_not_fill_the_disk, AuditFixture) {
  const std::uint64_t before = size();
  const auto ask = [&] { return call("POST", "/v1/agents", "{}", std::nullopt).status; };
  for (int i = 0; i < 200; ++i) BOOST_TEST(ask() == 401);
  BOOST_TEST(size() == before + 60);
  premises().audit.tick(kNow + 59s);
  set_now(kNow + 60s);
  BOOST_TEST(ask() == 401);  // in the next minute one by one again
  premises().audit.tick(kNow + 60s);
  premises().audit.tick(kNow + 120s);
  std::vector<Entry> counted;
  for (Entry& entry : since(before + 60)) {
    if (entry["action"] == "audit.refusals") counted.push_back(std::move(entry));
  }
  BOOST_REQUIRE_EQUAL(counted.size(), 1u);
  BOOST_TEST(counted[0]["outcome"] == "refused");
  BOOST_TEST(counted[0]["details.count"] == "140");
  BOOST_TEST(counted[0]["details.of"] == "");
}

BOOST_FIXTURE_TEST_CASE(denials_whose_proof_is_not_reached_are_bounded_too, AuditFixture) {
  const std::string chain = delegated(budget_chain(), "support", kOrchestratorUid);
  const std::uint64_t before = size();
  const std::string body = question(chain, "a.b.c", refund("1"));
  for (int i = 0; i < 100; ++i) BOOST_TEST(ask(body).status == 200);
  const std::vector<Entry> entries = since(before);
  BOOST_REQUIRE_EQUAL(entries.size(), 60u);
  BOOST_TEST(entries[0]["outcome"] == "deny");
  BOOST_TEST(entries[0]["principal"].empty());  // whose it is was not shown
  BOOST_TEST(entries[0]["ids.token"].size() == 64u);
}

BOOST_FIXTURE_TEST_CASE(what_is_asked_for_in_vain_is_kept_short, AuditFixture) {
  const std::string principal(300, 'p');
  std::string scopes = R"("crm.read")";
  for (int i = 0; i < 1000; ++i) scopes += R"(,"crm.read)" + std::to_string(i) + '"';
  const Response refused =
      call("POST", "/v1/grants",
           R"({"principal":")" + principal + R"(","agent":"support","audience":"a","scopes":[)" + scopes +
               R"(],"lifetime_s":60})",
           kStrangerUid);
  BOOST_TEST(refused.status == 403);
  const Entry entry = last();
  BOOST_TEST(entry["details.error"] == "forbidden");
  BOOST_TEST(entry["details.omitted"] == "true");
  BOOST_TEST(entry["principal"].empty());
  BOOST_TEST(entry["agent"] == "support");
  BOOST_TEST(entry.json().size() < 1000u);
}

BOOST_AUTO_TEST_CASE(each_caller_has_a_bound_of_its_own) {
  service::RefusalBound bound({.unproven = 2, .each_caller = 3});
  for (const bool is_admitted : {true, true, false}) BOOST_TEST(bound.admit("", kNow) == is_admitted);
  for (const bool is_admitted : {true, true, true, false, false})
    BOOST_TEST(bound.admit("uid:1", kNow) == is_admitted);
  BOOST_TEST(bound.admit("uid:2", kNow));
  BOOST_TEST(bound.take(kNow + 59s).empty());
  const auto counted = bound.take(kNow + 60s);
  BOOST_REQUIRE_EQUAL(counted.size(), 2u);
  BOOST_TEST(counted[0].count == 1u);
  BOOST_TEST(counted[1].caller == "uid:1");
  BOOST_TEST(counted[1].count == 2u);
  bound.give_back(counted[1]);
  BOOST_TEST(bound.take_all().front().count == 2u);
  BOOST_TEST(bound.take_all().empty());
}

BOOST_AUTO_TEST_CASE(whoever_comes_beyond_the_bound_of_callers_is_one_of_others) {
  service::RefusalBound bound({.unproven = 1, .each_caller = 1});
  const auto ask = [&](int caller) { return bound.admit("uid:" + std::to_string(caller), kNow); };
  for (int caller = 0; caller < 1024; ++caller) BOOST_TEST(ask(caller));
  BOOST_TEST(ask(1024));
  for (const int caller : {1025, 1026, 1027}) BOOST_TEST(!ask(caller));
  const auto counted = bound.take_all();
  BOOST_REQUIRE_EQUAL(counted.size(), 1u);
  BOOST_TEST(counted[0].caller == "others");
  BOOST_TEST(counted[0].count == 3u);
}

// --- over REST

BOOST_FIXTURE_TEST_CASE(the_log_is_read_and_proved_over_rest, AuditFixture) {
  const store::SignedCheckpoint signed_now = checkpoint();
  const auto page =
      wire::read_audit_page(call("GET", "/v1/audit/entries?after=1&limit=2", "", kOperatorUid).body);
  BOOST_REQUIRE(page);
  BOOST_TEST(page->entries.size() == 2u);
  BOOST_TEST(page->entries[0].number == 2u);
  BOOST_TEST(page->size == size());
  const auto tail = wire::read_audit_page(call("GET", "/v1/audit/entries?last=1", "", kOperatorUid).body);
  BOOST_TEST(tail->entries[0].json == last().json());
  const auto found =
      wire::read_audit_page(call("GET", "/v1/audit/entries?ref=support", "", kOperatorUid).body);
  BOOST_REQUIRE_EQUAL(found->entries.size(), 1u);
  BOOST_TEST(Entry({0, {}, found->entries[0].json})["action"] == "agent.create");

  const auto proved =
      wire::read_proved_audit_entry(call("GET", "/v1/audit/entries/2", "", kOperatorUid).body);
  BOOST_REQUIRE(proved && proved->inclusion && proved->checkpoint);
  BOOST_TEST(proved->checkpoint->note == signed_now.note);
  const auto head = audit::open_checkpoint(proved->checkpoint->note, keys());
  BOOST_REQUIRE(head);
  BOOST_TEST((proved->leaf == audit::leaf_hash(as_bytes(proved->entry.json))));
  BOOST_TEST(audit::proves_inclusion(proved->leaf, 1, head->tree, proved->inclusion->path));

  const auto inclusion =
      wire::read_audit_inclusion(call("GET", "/v1/audit/inclusion?entry=3&size=4", "", kOperatorUid).body);
  BOOST_REQUIRE(inclusion);
  BOOST_TEST(
      audit::proves_inclusion(inclusion->leaf, 2, {4, *premises().books.audit->root(4)}, inclusion->path));
  const auto consistency =
      wire::read_audit_consistency(call("GET", "/v1/audit/consistency?from=2&to=4", "", kOperatorUid).body);
  BOOST_REQUIRE(consistency);
  BOOST_TEST(audit::proves_consistency({2, *premises().books.audit->root(2)},
                                       {4, *premises().books.audit->root(4)}, consistency->path));
}

BOOST_FIXTURE_TEST_CASE(checkpoint_and_keys_are_everybodys, AuditFixture) {
  const Response made = call("POST", "/v1/audit/checkpoints", "", kOperatorUid);
  BOOST_REQUIRE_MESSAGE(made.status == 200, made.body);
  const Response shown = call("GET", "/v1/audit/checkpoint", "", std::nullopt);
  BOOST_TEST(shown.content_type == "text/plain; charset=utf-8");
  BOOST_TEST(shown.body == wire::read_audit_checkpoint(made.body)->note);
  const auto shown_keys = wire::read_audit_keys(call("GET", "/v1/audit/keys", "", std::nullopt).body);
  BOOST_REQUIRE(shown_keys);
  BOOST_REQUIRE_EQUAL(shown_keys->keys.size(), 1u);
  const auto key = audit::parse_verifier_key(shown_keys->keys[0].verifier_key);
  BOOST_REQUIRE(key);
  BOOST_TEST(audit::open_checkpoint(shown.body, std::array{*key}).has_value());
  BOOST_TEST(shown.body.starts_with(shown_keys->origin + "\n"));
  const auto page = wire::read_audit_checkpoint_page(
      call("GET", "/v1/audit/checkpoints?after=0&limit=10", "", kOperatorUid).body);
  BOOST_TEST(page->checkpoints.size() == 2u);  // with the one of the start
}

BOOST_FIXTURE_TEST_CASE(queries_that_say_nothing_are_refused, AuditFixture) {
  for (const char* path :
       {"/v1/audit/entries?limit=0", "/v1/audit/entries?limit=1001", "/v1/audit/entries?last=x",
        "/v1/audit/entries?last=1&after=1", "/v1/audit/entries?offset=1", "/v1/audit/entries/x",
        "/v1/audit/entries?last=0", "/v1/audit/inclusion?entry=1", "/v1/audit/inclusion?entry=1&size=999",
        "/v1/audit/consistency?from=4&to=2", "/v1/audit/consistency?to=2",
        "/v1/audit/checkpoints?after=-1"}) {
    BOOST_TEST(call("GET", path, "", kOperatorUid).status == 400, path);
  }
  for (const char* path :
       {"/v1/audit/entries/0", "/v1/audit/entries/999", "/v1/audit/inclusion?entry=0&size=1"}) {
    BOOST_TEST(call("GET", path, "", kOperatorUid).status == 404, path);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
